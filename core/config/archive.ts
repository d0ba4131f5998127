import * as z from 'zod';
import { validatedWith, keyArn as keyArnSchema, matching, wholeNumber } from './fields.ts';
import { expirySchema, objectLockSchema } from './runtime.ts';

/** S3 takes no younger object into Standard-IA, and none out of it that has not been there as long. */
const LEAST_DAYS_IN_IA = 30;

const days = (what: string) =>
  wholeNumber(1, 36_500).optional().describe(`Days after the export when proven data moves to ${what}.`);

const tiersSchema = z
  .strictObject({
    standardIaDays: days('S3 Standard-IA'),
    glacierInstantRetrievalDays: days('S3 Glacier Instant Retrieval'),
    glacierFlexibleRetrievalDays: days(
      'S3 Glacier Flexible Retrieval; a restore then begins with a request to S3',
    ),
    glacierDeepArchiveDays: days('S3 Glacier Deep Archive; a restore then begins with a request to S3'),
  })
  .superRefine((tiers, context) => {
    const { standardIaDays } = tiers;
    if (standardIaDays !== undefined && standardIaDays < LEAST_DAYS_IN_IA) {
      const message = `must be at least ${LEAST_DAYS_IN_IA}, which S3 asks for`;
      context.addIssue({ code: 'custom', path: ['standardIaDays'], message });
    }
    let after = 0;
    let previous: string | undefined;
    for (const [tier, value] of Object.entries(tiers)) {
      if (value === undefined) continue;
      const least = previous === 'standardIaDays' ? after + LEAST_DAYS_IN_IA : after + 1;
      if (previous !== undefined && value < least) {
        const message = `must be at least ${least}, since ${previous} is ${after}`;
        context.addIssue({ code: 'custom', path: [tier], message });
      }
      [after, previous] = [value, tier];
    }
  });

/** Where archives go, and how long they are kept from being deleted. */
export const archiveSchema = z
  .strictObject({
    bucket: z
      .strictObject({
        name: matching(
          /^(?!.*(\.\.|\.-|-\.))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
          'must be the name of an S3 bucket: lower-case letters, digits, hyphens and single dots between them',
        ),
        keyArn: keyArnSchema,
      })
      .optional()
      .describe(
        'An existing bucket, and the key that it encrypts with. Default: a new bucket and a new key.',
      ),
    keyArn: keyArnSchema
      .optional()
      .describe('KMS key that a new bucket encrypts with. Default: a new key, which rotates every year.'),
    formerKeyArns: z
      .array(keyArnSchema, 'must be a list of KMS keys')
      .default([])
      .describe(
        'KMS keys that older archives are encrypted with: after a change of the key, the archiver may still decrypt with them. Default: none.',
      ),
    tiers: tiersSchema
      .prefault({})
      .describe(
        'Colder storage for proven data. DDL and manifests stay in S3 Standard. Default: all objects stay in S3 Standard.',
      ),
    objectLock: objectLockSchema
      .optional()
      .describe('S3 Object Lock on every proven archive. Default: archives are not locked.'),
    expiry: expirySchema.optional().describe('Archives expire after a time. Default: they are kept forever.'),
    accessLogs: z
      .boolean('must be true or false')
      .default(true)
      .describe('Whether a second bucket keeps the access logs of a new one for a year.'),
    dataEvents: z
      .union([z.boolean(), z.literal('selector')], 'must be true, false or "selector"')
      .default(false)
      .describe(
        'Whether a trail of CloudTrail records who reads or writes which object of the archive. true creates a trail, of which a Region has at most five; selector creates an output with the event selector for your own trail.',
      ),
  })
  .superRefine(
    ({ bucket, keyArn, tiers }, context) => {
      if (bucket === undefined) return;
      if (keyArn !== undefined) {
        const message = 'belongs to a bucket that is made here; the key of your own bucket is bucket.keyArn';
        context.addIssue({ code: 'custom', path: ['keyArn'], message });
      }
      if (Object.keys(tiers).length === 0) return;
      const message = 'belong to a bucket that is made here; give your own bucket a lifecycle rule by tag';
      context.addIssue({ code: 'custom', path: ['tiers'], message });
    },
    validatedWith('bucket', 'keyArn', 'tiers'),
  )
  .superRefine(
    ({ tiers, objectLock, expiry }, context) => {
      if (expiry === undefined) return;
      const { days, deleteVersionsAfterDays } = expiry;
      const refuse = (setting: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['expiry', setting], message });
      };
      const locked = objectLock?.days ?? 0;
      if (days < locked) refuse('days', `must be at least objectLock.days (${locked})`);
      const coldest = Math.max(0, ...Object.values(tiers).filter((value) => value !== undefined));
      // S3 refuses a rule whose objects expire before or when they move.
      if (days <= coldest) refuse('days', `must be more than the days of the last tier (${coldest})`);
      // A version that was written over is counted from then on, which may be soon after its export. Only a lock keeps it
      // longer.
      if (deleteVersionsAfterDays !== undefined && deleteVersionsAfterDays < days && locked < days) {
        const rule = `must be at least ${days}, or objectLock.days must be ${days}`;
        refuse('deleteVersionsAfterDays', `${rule}: an overwritten version would be deleted before its time`);
      }
    },
    validatedWith('tiers', 'objectLock', 'expiry'),
  );
