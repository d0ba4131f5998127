/** Asks the run's process of syntheses (process.ts), so that a test file need not load the CDK, which takes seconds. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackDirectory } from '../../support/stack.ts';
import { folderOf, type Answer, type Question } from './question.ts';

const PATIENCE_MS = 300_000;

/** What the process makes of a question, which is made once in a run. Blocks, so that it can be used outside of async code. */
export function ask(question: Question): unknown {
  const folder = folderOf(stackDirectory());
  const text = JSON.stringify(question);
  const name = createHash('sha256').update(text).digest('hex');
  const file = join(folder, `${name}.answer`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const unfinished = join(folder, `${name}-${String(process.pid)}`);
    writeFileSync(unfinished, text);
    renameSync(unfinished, join(folder, `${name}.question`));
    waitFor(file);
  }
  const answer = JSON.parse(readFileSync(file, 'utf8')) as Answer;
  if (!answer.ok) throw new Error(answer.message);
  return answer.value;
}

function waitFor(file: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < PATIENCE_MS; waited += 10) {
    if (existsSync(file)) return;
    Atomics.wait(pause, 0, 0, 10);
  }
  throw new Error(
    `no synthesis within ${String(PATIENCE_MS / 1000)} s; see synthesis.log in ${stackDirectory()}`,
  );
}
