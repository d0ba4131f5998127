import * as z from 'zod';

/** AWS takes 50 tags on a resource, and roles and secrets have one of the archiver's. */
const MOST_TAGS = 49;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;
/** Nothing else is a tag of IAM, which every stack has roles of. */
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;

/**
 * Tags of every resource, within what IAM takes: CloudFormation would find it out when it makes the first role.
 *
 * Source: "Rules for tagging in IAM and AWS STS", AWS IAM User Guide.
 */
export const tagsSchema = z
  .record(z.string(), z.string('must be a text'))
  .superRefine((tags, context) => {
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const keys = Object.keys(tags);
    if (keys.some((key) => key.toLowerCase().startsWith('aws:'))) {
      refuse([], 'must have no tag that begins with aws:, which AWS keeps for itself');
    }
    if (keys.length > MOST_TAGS) refuse([], `must be at most ${MOST_TAGS} tags`);
    const seen = new Map<string, string>();
    for (const [key, value] of Object.entries(tags)) {
      if (key.length < 1 || key.length > LONGEST_KEY) {
        refuse([key], `must have a key of 1 to ${LONGEST_KEY} characters`);
      }
      if (value.length > LONGEST_VALUE) refuse([key], `must be at most ${LONGEST_VALUE} characters long`);
      if (!CHARACTERS.test(key) || !CHARACTERS.test(value)) {
        refuse([key], 'must consist of letters, digits, spaces and _ . : / = + - @, key and value');
      }
      const other = seen.get(key.toLowerCase());
      if (other !== undefined) refuse([key], `is the tag ${other} in another case, and IAM takes only one`);
      seen.set(key.toLowerCase(), key);
    }
  })
  .default({})
  .describe('Tags of every resource.');
