/**
 * S3 for the local stack: Ceph's RADOS Gateway, with one monitor and one object store daemon behind it.
 *
 * What was considered instead, by a probe of 45 behaviours of S3 that archiving depends on (versioning,
 * conditional writes, multipart uploads, SSE-KMS, object lock, checksums, signatures):
 * - MinIO: no package in Debian's or npm's registry.
 * - s3rver and its fork: ignore every precondition, have no versions, and one stores the framing of streamed
 *   bodies as content.
 * - fauxqs: overwrites in spite of `If-None-Match`, has no versions, and refuses a PUT of 100 MB.
 * - moto's server: checks no signature, accepts wrong digests, and holds everything in Python's memory. It is
 *   the best second implementation.
 * - the gateway without a cluster (its dbstore backend): starts in under a second, but corrupts multipart
 *   uploads.
 * The gateway of Debian 12 (16.2) passes what matters: it verifies signatures, keeps versions and locks, has one
 * winner among racing `If-None-Match: *` puts and takes a KMS key by its ARN. Known gaps: bodies with trailing
 * checksums are refused (set the SDK's requestChecksumCalculation and responseChecksumValidation to
 * WHEN_REQUIRED), CompleteMultipartUpload ignores preconditions, GetObjectAttributes is missing.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { requireProgram, run } from './commands.ts';
import { cephConfiguration, cephKeyring, monitorAddress } from './ceph-config.ts';
import type { CephOptions } from './ceph-config.ts';
import { waitUntilReady } from './processes.ts';
import type { Supervisor } from './processes.ts';

/** Objects of megabytes in pages of 4 kB cost the store more time than anything else that it does. */
const HUGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

export interface ObjectStoreOptions extends CephOptions {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Starts the object store: with its objects of last time on disk, or empty in memory. Resolves when it is ready. */
export async function startObjectStore(options: ObjectStoreOptions, supervisor: Supervisor): Promise<void> {
  const { directory, kind } = options;
  const programs = findPrograms();
  const complete = join(directory, 'complete');
  const fresh = kind === 'memory' || !existsSync(complete);
  if (fresh) {
    rmSync(directory, { recursive: true, force: true });
    for (const folder of ['mon', 'osd', 'run']) await mkdir(join(directory, folder), { recursive: true });
    await writeFile(join(directory, 'keyring'), cephKeyring(), { mode: 0o600 });
  }
  const conf = join(directory, 'ceph.conf');
  const classes = await run([programs.conf, '-c', '/dev/null', '--show-config-value', 'osd_class_dir']);
  await writeFile(conf, cephConfiguration(options, resolve('/usr', classes.trim())));

  // In memory there is nothing to save, and the memory store would write all of itself to disk when asked nicely.
  const stopSignal = kind === 'memory' ? 'SIGKILL' : 'SIGTERM';
  const monitorMap = await writeMonitorMap(options);
  const monitor = [programs.monitor, '-c', conf, '-i', 'a'];
  await run(
    fresh
      ? [...monitor, '--mkfs', '--monmap', monitorMap, '--keyring', join(directory, 'keyring')]
      : [...monitor, '--inject-monmap', monitorMap],
  );
  supervisor.start({ name: 'ceph-mon', command: [...monitor, '-f'], stopSignal });

  const store = [programs.store, '-c', conf, '-i', '0'];
  if (fresh) {
    const storeId = randomUUID();
    // Waits for the monitor, too.
    await run([programs.ceph, '-c', conf, '--connect-timeout', '60', 'osd', 'create', storeId]);
    await run([...store, '--mkfs', '--osd-uuid', storeId]);
  }
  supervisor.start({
    name: 'ceph-osd',
    command: [...store, '-f'],
    env: { ...process.env, ...HUGE_PAGES },
    stopSignal,
    stopTimeoutMs: 30_000,
  });

  const gatewayFlags = ['-c', conf, '-n', 'client.rgw'];
  if (fresh) {
    const user = ['--uid=local', '--display-name=local'];
    const keys = [`--access-key=${options.accessKeyId}`, `--secret-key=${options.secretAccessKey}`];
    // Waits for the store without a limit.
    await run([programs.admin, ...gatewayFlags, 'user', 'create', ...user, ...keys]);
    await writeFile(complete, '');
  }
  const gateway = supervisor.start({
    name: 'radosgw',
    command: [programs.gateway, ...gatewayFlags, '-f'],
    // It is stateless, and its orderly shutdown waits for timers.
    stopSignal: 'SIGKILL',
  });
  await waitUntilReady(gateway, () => isReady(options.ports.gateway));
}

/** The ports are new at each start, and the monitor knows its own only from this map. */
async function writeMonitorMap(options: CephOptions): Promise<string> {
  const file = join(options.directory, 'monmap');
  await run([
    requireProgram('monmaptool', 'ceph-common'),
    '--create',
    '--clobber',
    '--fsid',
    options.clusterId,
    '--addv',
    'a',
    monitorAddress(options),
    file,
  ]);
  return file;
}

function findPrograms(): Record<'monitor' | 'store' | 'gateway' | 'admin' | 'ceph' | 'conf', string> {
  return {
    monitor: requireProgram('ceph-mon', 'ceph-mon'),
    store: requireProgram('ceph-osd', 'ceph-osd'),
    gateway: requireProgram('radosgw', 'radosgw'),
    admin: requireProgram('radosgw-admin', 'radosgw'),
    ceph: requireProgram('ceph', 'ceph-common'),
    conf: requireProgram('ceph-conf', 'ceph-common'),
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
