/** A partition that is proven again: nothing but what the recorded manifest says of table and archive counts. */
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { readManifest } from '../../../core/archive-store.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/manifest.ts';
import {
  beginReverify,
  finishReverify,
  reverify,
  reverifySegment,
  type ReverifyEvidence,
  type ReverifyFence,
  type ReverifyReading,
} from '../../../core/reverify/steps.ts';
import { silentLog as log, type Log } from '../../../core/ports.ts';
import { memoryStore, putArchive, type MemoryStore } from '../../support/memory-store.ts';
import { failureOf } from '../../support/verified.ts';

const TEXTS = ['1\tone\n2\ttwo\n', '3\tthree\n'];
const STARTED_AT = '2026-05-01T00:00:00Z';

interface Scene {
  readonly evidence: ReverifyEvidence;
  readonly ports: {
    readonly store: MemoryStore;
    readonly database: ReverifyFence & ReverifyReading;
    readonly clock: { now: () => Date; sleep: () => Promise<void> };
    readonly log: Log;
  };
  /** What the database was asked to do, in order. */
  readonly done: string[];
}

/** An archive of two segments, a table with these contents, and a manifest that may say something else. */
async function scene(
  table: readonly string[] = TEXTS,
  tamper: (manifest: Manifest) => Manifest = (manifest) => manifest,
): Promise<Scene> {
  const store = memoryStore();
  const { manifest: written } = await putArchive(store, TEXTS);
  const key = await store.putManifest(tamper(written));
  const [current] = await store.list(key);
  const { manifest, object, sha256 } = await readManifest(store, key, current?.versionId);
  const evidence = {
    archiveId: manifest.archiveId,
    manifestKey: key,
    manifestVersionId: object.versionId,
    manifestSha256: sha256,
    fence: 'f',
  };
  const done: string[] = [];
  let locked = true;
  const database: ReverifyFence & ReverifyReading = {
    verifiedSince: (_, time) => Promise.resolve(time < new Date(STARTED_AT)),
    begin: () => {
      if (locked) {
        locked = false;
        return Promise.reject(new ArchiverError('LockNotAvailable', 'somebody reads'));
      }
      return Promise.resolve({ ...evidence, open: [0, 1] });
    },
    readSegment: (_, number, read) => read(Readable.from([Buffer.from(table[number] ?? '')])),
    record: (partitionId, segmentNumber, fence, digest) => {
      done.push(`record ${partitionId}/${segmentNumber} ${fence} ${digest.sha256}`);
      return Promise.resolve();
    },
    recordMismatch: (partitionId, segmentNumber, fence) => {
      done.push(`mismatch ${partitionId}/${segmentNumber} ${fence}`);
      return Promise.resolve();
    },
    finish: (partitionId, version) => {
      done.push(`finish ${partitionId} ${version}`);
      return Promise.resolve();
    },
  };
  const clock = { now: () => new Date(), sleep: () => Promise.resolve() };
  return { evidence, done, ports: { store, database, clock, log } };
}

test('every segment that agrees is recorded with its digest, then the partition is verified again', async () => {
  const { ports, evidence, done } = await scene();
  const begun = await beginReverify({ partitionId: 7, startedAt: STARTED_AT }, ports);
  expect(begun).toEqual({ next: 'compare', evidence, segments: [0, 1] });
  for (const segmentNumber of [0, 1]) {
    expect(await reverifySegment({ partitionId: 7, segmentNumber, evidence }, ports)).toEqual({
      segmentNumber,
    });
  }
  expect(await finishReverify({ partitionId: 7, evidence }, ports)).toEqual({ segments: 2, rows: 3 });
  const { manifest } = await readManifest(ports.store, evidence.manifestKey, evidence.manifestVersionId);
  expect(done).toEqual([
    ...manifest.segments.map(({ number, sha256 }) => `record 7/${number} f ${sha256}`),
    `finish 7 ${evidence.manifestVersionId}`,
  ]);

  const whole = await scene();
  expect(await reverify(7, whole.ports)).toEqual({ segments: 2, rows: 3 });
  expect(whole.done).toHaveLength(3);
});

test('what was verified since the execution began is not begun again', async () => {
  const { ports } = await scene();
  expect(await beginReverify({ partitionId: 7, startedAt: '2026-04-30T00:00:00Z' }, ports)).toEqual({
    next: 'done',
  });
});

test.each<[string, readonly string[] | undefined, ((manifest: Manifest) => Manifest) | undefined, string]>([
  [
    'the table has another row',
    [TEXTS[0]!, '3\tthroe\n'],
    undefined,
    'first difference in line 1, at byte 5; the table has 1 row and 8 bytes; the archive has 1 row and 8 bytes',
  ],
  [
    'the manifest has another SHA-256 than both',
    undefined,
    (manifest) => ({
      ...manifest,
      segments: manifest.segments.map((segment) => ({ ...segment, sha256: '0'.repeat(64) })),
    }),
    'table and archive agree, but not with the manifest',
  ],
  [
    'the manifest has another sum than both',
    undefined,
    (manifest) => ({
      ...manifest,
      segments: manifest.segments.map((segment) => ({ ...segment, lineHashSum: '0'.repeat(16) })),
    }),
    'table and archive agree, but not with the manifest',
  ],
])('no segment is recorded as verified where %s', async (_, table, tamper, how) => {
  const { ports, evidence, done } = await scene(table, tamper);
  const failure = await failureOf(reverifySegment({ partitionId: 7, segmentNumber: 1, evidence }, ports));
  expect(failure).toMatchObject({
    code: 'ContentMismatch',
    message: `segment 1 of partition 7 is not what was archived: ${how}`,
  });
  await failureOf(reverify(7, ports));
  const recorded = done.filter((each) => each.startsWith('finish') || each.includes('/1'));
  expect([...new Set(recorded)]).toEqual(table === undefined ? [] : ['mismatch 7/1 f']);
});

test('no other manifest than the recorded one counts, and no segment that it does not have', async () => {
  const { ports, evidence, done } = await scene();
  for (const work of [
    reverifySegment(
      { partitionId: 7, segmentNumber: 0, evidence: { ...evidence, manifestSha256: '0'.repeat(64) } },
      ports,
    ),
    reverifySegment(
      { partitionId: 7, segmentNumber: 0, evidence: { ...evidence, archiveId: 'another' } },
      ports,
    ),
    reverifySegment({ partitionId: 7, segmentNumber: 2, evidence }, ports),
    finishReverify({ partitionId: 7, evidence: { ...evidence, archiveId: 'another' } }, ports),
  ]) {
    expect((await failureOf(work)).code).toBe('ManifestConflict');
  }
  expect(done).toEqual([]);
});
