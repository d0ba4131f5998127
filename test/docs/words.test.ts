/** One word for one thing: words that were replaced do not come back. `docs/architecture.md` has those that stay. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { projectFiles } from '../support/project-files.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What operators and readers of the source see. */
const PRODUCT = /^(?:(?:adapters|bench|bin|core|db|docs|local)\/|README\.md|CONTRIBUTING\.md)/;
/** The same with constructs, handlers and tests. */
const EVERYTHING =
  /^(?:(?:adapters|bench|bin|core|db|docs|lambdas|lib|local|test)\/|README\.md|CONTRIBUTING\.md)/;

const NOT_TESTS = /^(?:(?:adapters|bench|bin|core|db|docs|lambdas|lib|local)\/|README\.md|CONTRIBUTING\.md)/;
/** What is deployed, and its pages. */
const DEPLOYED = /^(?:adapters|bin|core|db|docs|lambdas|lib)\//;
/** Archives themselves keep the names of their format. */
const SOURCE = /^(?:adapters|bin|core(?!\/query|\/manifest|\/keys)|lambdas|lib)\//;

interface Retired {
  readonly word: RegExp;
  /** The word to use. */
  readonly instead: string;
  readonly where: RegExp;
}

const retired = (word: RegExp, instead: string, where: RegExp): Retired => ({ word, instead, where });

/** No word characters around it; an underscore ends a word, and so does a capital. */
const whole = (words: string): RegExp => new RegExp(`(?<![A-Za-z0-9])(?:${words})(?![a-z0-9])`, 'i');

const RETIRED: readonly Retired[] = [
  retired(/\bpartition_archive\b/, 'partition_archiver_quarantine', EVERYTHING),
  retired(/\barchive_owner\b/, 'archiver_owner', EVERYTHING),
  retired(whole('strangers?'), 'identity mismatch', EVERYTHING),
  retired(/\bmove[-_]in\b|MoveIn\b/, 'upgrade-ledger', EVERYTHING),
  retired(/\bway[-_ ]in\b|\bWayIn\b/i, 'setup', EVERYTHING),
  retired(/\bway[-_ ]back\b|\bWayBack\b/i, 'restore, fix', EVERYTHING),
  retired(/\bbr(?:ing|ings|inging|ought)[-_ ]out\b|\bbr(?:ing|ought)Out\b/i, 'publish', EVERYTHING),
  retired(/\bhand(?:s|ed|ing)?[-_ ]back\b|\bhandBack\b/i, 'return to owner', EVERYTHING),
  retired(whole('enroll?(?:s|ed|ing|ment)?'), 'register owner', EVERYTHING),
  retired(/\bmake[-_]way\b/, 'wait_for_autovacuum', EVERYTHING),
  retired(/\braise_fence\b|\bfence_in\b/, 'create_fence_triggers', EVERYTHING),
  retired(whole('twins?'), 'shadow table', EVERYTHING),
  retired(/\b(?:some|any|every|no)body\b/i, 'another session, an operator, a role; no …', DEPLOYED),
  retired(/\blet[-_]go\b|\bletGo\b|\blets go\b/, 'drop replaced', PRODUCT),
  retired(/\bbegin_anew\b/, 'reset_quarantine', EVERYTHING),
  retired(/\brefuse_state\b/, 'raise_wrong_state', EVERYTHING),
  retired(/\brehears\w*/i, 'drill', EVERYTHING),
  retired(/\babandon(?:s|ed|ing)?\b/i, 'cancel', EVERYTHING),
  retired(/\bDaysSinceGood\w*/, 'DaysSinceSuccessful…', EVERYTHING),
  retired(whole('anew'), 'again', EVERYTHING),
  retired(/\bmend(?:s|ed|ing)?\b/i, 'fix', EVERYTHING),
  retired(/\bwhoever\b/i, 'the caller, a role that, the next session', EVERYTHING),
  retired(/\b(?:go|goes|going|gone|went) on\b/i, 'continue, resume', EVERYTHING),
  retired(/\banswers\b/i, 'returns', NOT_TESTS),
  retired(/\bS3 answered\b|'answers? |`answers? /, 'returns', EVERYTHING),
  retired(/\bway_out\b|\bwayOut\b/, 'suggest_fix', EVERYTHING),
  retired(/(?<![A-Za-z])repartition/i, 'partition-table, partition_job', EVERYTHING),
  retired(/\bgive_up\w*/, 'cancel', EVERYTHING),
  retired(
    /"(?:partition|restore)\\?": ?(?:\d|<id>)|--to (?:owner|pipeline)/,
    'partitionId, resume, release',
    EVERYTHING,
  ),
  retired(
    /\b(?:partition|restore|segment)\??: number\b(?! \| undefined>)/,
    'partitionId, restoreId, segmentNumber',
    SOURCE,
  ),
];

/** Places that keep a word: the file, the word, and why. */
const ALLOWED: readonly (readonly [file: string, word: RegExp, reason: string])[] = [
  ['test/docs/words.test.ts', /./, 'this list'],
];

// Seen to fail with "answers" in a comment of db/, and with "twin" in a test.
test('no word that was replaced comes back', () => {
  const texts = projectFiles()
    .filter((name) => EVERYTHING.test(name) && /\.(?:ts|sql|md|sh|json|wat)$/.test(name))
    .map((name) => [name, readFileSync(join(ROOT, name), 'utf8')] as const);
  expect(texts.length).toBeGreaterThan(400);
  const found = texts.flatMap(([name, text]) =>
    RETIRED.filter(({ word, where }) => where.test(name) && word.test(text)).flatMap(({ word, instead }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          word.test(line) ? [`${name}:${index + 1}: ${line.trim()} (${instead})`] : [],
        )
        .filter(() => !ALLOWED.some(([file, allowed]) => file === name && allowed.test(word.source))),
    ),
  );
  expect(found).toEqual([]);
});
