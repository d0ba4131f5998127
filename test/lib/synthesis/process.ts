/**
 * Synthesises for all test files of a run: `node test/lib/synthesis/process.ts <directory>`. The tests' global set-up starts it. It
 * loads the CDK once, at the first question, where each test file would load and compile it again.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { folderOf, type Answer, type Question } from './question.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: node test/lib/synthesis/process.ts <directory>');
const folder = folderOf(directory);
mkdirSync(folder, { recursive: true });

async function answerTo(file: string): Promise<Answer> {
  try {
    const question = JSON.parse(readFileSync(file, 'utf8')) as Question;
    const { synthesise } = await import('./synthesise.ts');
    return { ok: true, value: synthesise(question, mkdtempSync(join(folder, 'cdk.out-'))) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function answerAll(): Promise<void> {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.question'))) {
    const question = join(folder, name);
    const answer = question.replace(/question$/, 'answer');
    const unfinished = `${answer}.new`;
    writeFileSync(unfinished, JSON.stringify(await answerTo(question)));
    renameSync(unfinished, answer);
    rmSync(question);
  }
}

// One after the other; what comes meanwhile is seen by the next one.
let last = Promise.resolve();
const answerSoon = (): void => {
  last = last.then(answerAll);
};
watch(folder, (_, name) => {
  if (name?.endsWith('.question') === true) answerSoon();
});
answerSoon();
