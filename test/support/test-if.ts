import { test } from '@jest/globals';
import { serverMajor } from './stack.ts';

/** `test`, as far as tests with a condition use it. */
export type ConditionalTest = ((...args: Parameters<typeof test>) => void) & Pick<typeof test, 'each'>;

/**
 * `test` where there is what the test needs. Elsewhere the test is skipped, and its name ends with the need, which
 * `npm run test:matrix` counts.
 */
export function testIf(isThere: boolean, need: string): ConditionalTest {
  if (isThere) return test;
  const titled = (name: unknown): string => `${String(name)} (needs ${need})`;
  const skip: ConditionalTest = Object.assign(
    (...[name, ...rest]: Parameters<typeof test>) => {
      test.skip(titled(name), ...rest);
    },
    {
      each: ((...table: Parameters<typeof test.skip.each>) => {
        const each = test.skip.each(...table);
        return (...[name, ...rest]: Parameters<typeof each>) => {
          each(titled(name), ...rest);
        };
      }) as unknown as typeof test.each,
    },
  );
  return skip;
}

/** `test` from a major version of PostgreSQL on. */
export function testSince(major: number): ConditionalTest {
  return testIf(serverMajor() >= major, `PostgreSQL ${String(major)} and later`);
}
