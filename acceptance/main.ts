/**
 * `npm run acceptance:deploy -- --yes`: deploys the archiver into an AWS account beside a database of its own, uses all of
 * it, and removes it. See docs/acceptance.md.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptance } from './acceptance.ts';
import type { Ports } from './ports.ts';

/** A synthesised template and the history of an execution come by standard output. */
const MOST_OUTPUT = 256 * 1024 * 1024;

const ports: Ports = {
  run: (program, args, folder) =>
    new Promise((resolve) => {
      const options = { cwd: folder, maxBuffer: MOST_OUTPUT };
      execFile(program, [...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
      });
    }),
  now: () => performance.now() / 1000,
  pause: (seconds) => sleep(seconds * 1000),
  write: (path, text) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  },
  print: (line) => {
    process.stdout.write(`${line}\n`);
  },
};

process.exitCode = await acceptance(
  process.argv.slice(2),
  process.env,
  join(import.meta.dirname, '..'),
  ports,
);
