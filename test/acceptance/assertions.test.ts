import { expect, test } from '@jest/globals';
import { perform } from './perform.ts';
import { SPOILED } from './spoiled-answers.ts';

/** Each `must` in acceptance/steps was taken out once and missed by a row; that of `asleep` by its test in acceptance.test.ts. */
test.each(SPOILED)('%s: %s', async (step, command, spoil, message) => {
  const { code, said } = await perform('--yes', { [command]: spoil });
  const [, stoppedAt, why] = /^stopped at ([\w-]+): (.*)$/m.exec(said) ?? [];
  expect({ code, stoppedAt, why }).toEqual({
    code: 1,
    stoppedAt: step,
    why: expect.stringContaining(message),
  });
});
