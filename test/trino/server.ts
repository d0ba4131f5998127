import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { freePorts } from '../../local/stack/ports.ts';
import { stack } from '../support/stack.ts';
import { trinoSoftware } from './install.ts';

/** A Trino over the local stack, with Glue as its catalogue and under the name that Athena has for it. */
export interface Trino {
  /** Runs a statement; values are as Trino's JSON has them. An error is Trino's own, by its name and message. */
  query(sql: string): Promise<unknown[][]>;
}

const LONGEST_START_MS = 300_000;

/** Starts a Trino for a test file. */
export function useTrino(): () => Trino {
  const directory = mkdtempSync(join(tmpdir(), 'trino-'));
  let trino: (Trino & { stop(): Promise<void> }) | undefined;
  beforeAll(async () => {
    trino = await startTrino(directory);
  }, 2 * LONGEST_START_MS);
  afterAll(async () => {
    await trino?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    if (trino === undefined) throw new Error('Trino exists only while tests run');
    return trino;
  };
}

async function startTrino(directory: string): Promise<Trino & { stop(): Promise<void> }> {
  const { java, libraries, plugins } = await trinoSoftware();
  const { port } = await freePorts(['port']);
  const etc = settings(directory, plugins, port);
  const logFile = join(directory, 'trino.log');
  const log = openSync(logFile, 'a');
  const flags =
    '-Xmx1G -XX:+UseSerialGC -Djdk.attach.allowAttachSelf=true --add-modules jdk.incubator.vector'.split(' ');
  const command = ['--pdeathsig=SIGKILL', '--', java].concat(
    flags,
    `-Dnode.data-dir=${directory}`,
    `-Dconfig=${etc}/config.properties`,
    `-Dlog.levels-file=${etc}/log.properties`,
    '-cp',
    `${libraries}/*`,
    'io.trino.server.TrinoServer',
  );
  const child = spawn('setpriv', command, { cwd: directory, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const deadline = Date.now() + LONGEST_START_MS;
  while (!readFileSync(logFile, 'utf8').includes('SERVER STARTED')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Trino did not start: ${readFileSync(logFile, 'utf8').slice(-3000)}`);
    }
    await sleep(250);
  }
  return {
    query: (sql) => query(`http://127.0.0.1:${String(port)}/v1/statement`, sql),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Settings of a server that is coordinator and worker, and listens on this machine only. */
function settings(directory: string, plugins: string, port: number): string {
  const { s3, glue } = stack();
  const etc = join(directory, 'etc');
  mkdirSync(join(etc, 'catalog'), { recursive: true });
  const write = (name: string, lines: Readonly<Record<string, string | number>>): void => {
    const text = Object.entries(lines).map(([key, value]) => `${key}=${String(value)}\n`);
    writeFileSync(join(etc, name), text.join(''));
  };
  write('config.properties', {
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': port,
    'discovery.uri': `http://127.0.0.1:${String(port)}`,
    'node.environment': 'test',
    'node.bind-ip': '127.0.0.1',
    'node.internal-address': '127.0.0.1',
    'plugin.dir': plugins,
    'catalog.config-dir': join(etc, 'catalog'),
    'query.max-memory': '512MB',
    'query.max-memory-per-node': '512MB',
  });
  write('log.properties', { 'io.trino': 'INFO', Bootstrap: 'WARN' });
  write('catalog/awsdatacatalog.properties', {
    'connector.name': 'hive',
    'hive.metastore': 'glue',
    'hive.metastore.glue.endpoint-url': glue.endpoint,
    'hive.metastore.glue.region': s3.region,
    'hive.metastore.glue.aws-access-key': 'any',
    'hive.metastore.glue.aws-secret-key': 'any',
    // The stub keeps no statistics.
    'hive.table-statistics-enabled': 'false',
    'fs.native-s3.enabled': 'true',
    's3.endpoint': s3.endpoint,
    's3.region': s3.region,
    's3.path-style-access': 'true',
    's3.aws-access-key': s3.accessKeyId,
    's3.aws-secret-key': s3.secretAccessKey,
  });
  return etc;
}

interface Answer {
  readonly nextUri?: string;
  readonly data?: unknown[][];
  readonly error?: { readonly errorName: string; readonly message: string };
}

/** Trino's protocol (https://trino.io/docs/current/develop/client-protocol.html): one page after the other. */
async function query(statement: string, sql: string): Promise<unknown[][]> {
  const headers = {
    'X-Trino-User': 'test',
    'X-Trino-Catalog': 'awsdatacatalog',
    'X-Trino-Time-Zone': 'UTC',
  };
  const rows: unknown[][] = [];
  let response = await fetch(statement, { method: 'POST', headers, body: sql });
  for (;;) {
    if (!response.ok) throw new Error(`Trino returned ${String(response.status)}: ${await response.text()}`);
    const { nextUri, data = [], error } = (await response.json()) as Answer;
    if (error !== undefined) throw new Error(`${error.errorName}: ${error.message}`);
    rows.push(...data);
    if (nextUri === undefined) return rows;
    response = await fetch(nextUri, { headers });
  }
}
