import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SidecarConfig } from '../extensions/sidecar/server.ts';
import { waitUntilReady } from './processes.ts';
import type { Supervisor } from './processes.ts';

const PROGRAM = join(import.meta.dirname, '..', 'extensions', 'sidecar', 'server.ts');

export interface Sidecar {
  /** Throws away what exports of an earlier life left half uploaded. The gateway has to answer by now. */
  sweep(): Promise<void>;
}

/** Starts the process that moves the aws_s3 stand-in's bytes between PostgreSQL and S3. */
export async function startSidecar(
  options: SidecarConfig & { readonly directory: string },
  supervisor: Supervisor,
): Promise<Sidecar> {
  const { directory, port, s3 } = options;
  const config = join(directory, 'aws-s3-sidecar.json');
  await writeFile(config, JSON.stringify({ port, s3 }), { mode: 0o600 });
  const daemon = supervisor.start({
    name: 'aws-s3-sidecar',
    // Its own flags only: NODE_OPTIONS of a test runner must not reach it.
    command: [process.execPath, PROGRAM, config],
    env: { PATH: process.env['PATH'] },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 2000,
  });
  const url = `http://127.0.0.1:${String(port)}/`;
  await waitUntilReady(daemon, async () => {
    try {
      return (await fetch(url)).ok;
    } catch {
      return false;
    }
  });
  return {
    async sweep() {
      const response = await fetch(`${url}sweep`, { method: 'POST' });
      if (!response.ok) throw new Error(`the aws_s3 sidecar cannot use S3: ${await response.text()}`);
    },
  };
}
