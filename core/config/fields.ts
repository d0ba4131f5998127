import * as z from 'zod';

/** PostgreSQL cuts longer identifiers off silently (NAMEDATALEN - 1), and would then find another table. */
const LONGEST_IDENTIFIER_BYTES = 63;

/** A text of a given form. Patterns have no flags: the JSON schema could not carry them. */
export function matching(pattern: RegExp, rule: string): z.ZodString {
  return z.string(rule).regex(pattern, rule);
}

/** A KMS key. */
export const keyArn = matching(
  /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
  'must be the ARN of a KMS key (not of an alias)',
);

/** A name exactly as the catalogs have it: case counts, and it is never quoted here. */
export const identifier = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .refine(
    (name) => Buffer.byteLength(name) <= LONGEST_IDENTIFIER_BYTES,
    `must be at most ${LONGEST_IDENTIFIER_BYTES} bytes long`,
  )
  .refine((name) => !name.includes('\0'), 'must not contain a zero byte');

/** A whole number within limits, with messages that name both. */
export function wholeNumber(min: number, max: number): z.ZodNumber {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.number(rule).int(rule).min(min, rule).max(max, rule);
}

/**
 * For a rule over several settings: it is judged unless one of them is of a wrong form, however wrong the others are.
 * Without it zod judges such rules only where everything beside them is right, and mistakes come one after the other.
 */
export function validatedWith(...settings: readonly string[]): z.core.$ZodSuperRefineParams {
  return {
    when: ({ issues }) =>
      !issues.some(
        ({ continue: goesOn, path: [setting] = [] }) =>
          // Without a path it is the whole that has not even the right form.
          goesOn !== true && (setting === undefined || settings.includes(String(setting))),
      ),
  };
}

/** A time zone of the IANA database; offsets such as `+02:00` know no daylight saving and are refused. */
export const timeZone = z
  .string('must be a text')
  .refine(isTimeZone, 'must be a time zone such as UTC or Europe/Berlin');

/** Whether a name is a time zone of the IANA database. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A rule over several settings as zod takes it, made of a function that lists the problems of a value. */
export function problemsBy<Value>(
  problemsOf: (value: Value) => readonly (readonly [path: (string | number)[], message: string])[],
): (value: Value, context: z.RefinementCtx<Value>) => void {
  return (value, context) => {
    for (const [path, message] of problemsOf(value)) context.addIssue({ code: 'custom', path, message });
  };
}
