/**
 * Runs the archiver in a process of its own, so that it can be killed: one run for each job that comes as a message.
 * Everything goes through the fault proxies.
 */
import { flushCompileCache } from 'node:module';
import { localSteps, type DatabaseRole } from '../../bin/archive/steps.ts';
import { connect } from '../../adapters/postgres/connect.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { readCredentials } from '../../adapters/secrets-manager/credentials.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { run, type Steps } from '../../core/archive/run.ts';
import { silentLog as log } from '../../core/ports.ts';
import { makeSecretsClient, ROLE_OF } from './secrets.ts';

/** A run to make, as plain data. */
export interface Job {
  readonly postgres: { readonly port: number; readonly database: string };
  readonly secrets: { readonly endpoint: string; readonly arns: Readonly<Record<DatabaseRole, string>> };
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly bucket: string;
  };
  /** Where leave is asked to run a function. */
  readonly lambda: { readonly endpoint: string };
  readonly config: RuntimeConfig;
}

/** How a run ended. */
export type JobResult =
  | { readonly ok: true; readonly failed: number; readonly archived: number; readonly dropped: number }
  | { readonly ok: false; readonly name: string; readonly message: string };

/** Long enough for what blocks a retry to be over, and far shorter than in earnest. */
const LONGEST_PAUSE_MS = 100;

/** What the SDK talks HTTP by, as far as it is used here: its package is not ours to import. */
interface NodeHttpHandler {
  updateHttpClientConfig(key: 'socketTimeout', milliseconds: number): void;
}

const clock = {
  now: () => new Date(),
  sleep: (milliseconds: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, Math.min(milliseconds, LONGEST_PAUSE_MS))),
};

async function work({ postgres, secrets, s3, lambda, config }: Job): Promise<JobResult> {
  const client = makeS3Client({
    region: s3.region,
    endpoint: s3.endpoint,
    credentials: s3,
    // So that an outage outlasts it sooner; and no try is given up because the machine is busy, since points are counted.
    patience: { tries: 2, silenceMs: 5_000 },
  });
  const handler = client.config.requestHandler as unknown as NodeHttpHandler;
  hurry = () => {
    handler.updateHttpClientConfig('socketTimeout', 500);
  };
  const secretsClient = makeSecretsClient(secrets.endpoint);
  const passwords = new Map<DatabaseRole, string>();
  const readSecret = async (role: DatabaseRole): Promise<void> => {
    passwords.set(role, (await readCredentials(secretsClient, secrets.arns[role])).password);
  };
  try {
    const steps = localSteps({
      config,
      s3: client,
      bucket: s3.bucket,
      region: s3.region,
      clock,
      log,
      open: (role, notices = []) =>
        connect(
          {
            host: '127.0.0.1',
            port: postgres.port,
            database: postgres.database,
            user: role,
            password: passwords.get(role) ?? '',
            tls: false,
            applicationName: 'crash-matrix',
          },
          (notice) => notices.push(notice),
        ),
    });
    const { failed, archived, dropped } = await run({}, asFunctions(steps, lambda.endpoint, readSecret), {
      concurrency: config.concurrency,
      clock,
    });
    return { ok: true, failed, archived, dropped };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, name: error.name, message: error.message };
  } finally {
    client.destroy();
    secretsClient.destroy();
  }
}

/**
 * The steps as Lambda functions: the service may refuse to run one, and each reads the secret of its role before it
 * connects.
 */
function asFunctions(
  steps: Steps,
  endpoint: string,
  readSecret: (role: DatabaseRole) => Promise<void>,
): Steps {
  const entries = Object.entries(ROLE_OF).map(([step, role]) => {
    const work = steps[step as keyof Steps] as (...parameters: unknown[]) => Promise<unknown>;
    const invoked = async (...parameters: unknown[]): Promise<unknown> => {
      await invoke(endpoint, step);
      await readSecret(role);
      return work(...parameters);
    };
    return [step, invoked] as const;
  });
  return Object.fromEntries(entries) as unknown as Steps;
}

/** As the retriers of `lib/workflows/step-task.ts` for what the service fails by: twenty times, here without the minutes between. */
async function invoke(endpoint: string, step: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const response = await fetch(`${endpoint}/${step}`, { method: 'POST' });
    if (response.ok) return;
    const error = await response.text();
    if (tries === 20) {
      throw Object.assign(new Error('the Lambda service refused the call'), { name: `Lambda.${error}` });
    }
  }
}

/** Gives silent tries up soon from now on: the fault has struck, and is silence. */
let hurry = (): void => undefined;

process.on('message', (message: Job | 'hurry') => {
  if (message === 'hurry') {
    hurry();
    return;
  }
  void work(message).then((result) => {
    flushCompileCache();
    process.send?.(result);
  });
});
// It ends by SIGKILL, and what node compiles is kept only at an exit.
flushCompileCache();
process.send?.('ready');
