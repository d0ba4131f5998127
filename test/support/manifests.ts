import type { Manifest } from '../../core/manifest.ts';

/** The manifest of an archive of two segments, the second one without rows. */
export function makeManifest(changes: Partial<Manifest> = {}): Manifest {
  const prefix = 'shop/app/event/202101';
  const archiveId = '01234567-89ab-4def-8123-456789abcdef';
  return {
    format: 'partition-archive/1',
    archiveId,
    product: { name: 'partition-archiver', version: '0.1.0' },
    source: {
      systemIdentifier: '7301234567890123456',
      database: 'shop',
      postgresql: '15.9',
      extensions: { aws_s3: '1.2', pg_partman: '5.1.0' },
    },
    partition: {
      schema: 'app',
      name: 'event_p20210101',
      oid: 16_999,
      owner: 'app_owner',
      parentSchema: 'app',
      parentName: 'event',
      controlColumn: 'ts',
      controlKind: 'time',
      bounds: "FOR VALUES FROM ('2021-01-01 00:00:00+00') TO ('2021-02-01 00:00:00+00')",
      lowerBound: '2021-01-01 00:00:00+00',
      upperBound: '2021-02-01 00:00:00+00',
      period: '202101',
      attachStatement: 'ALTER TABLE app.event ATTACH PARTITION app.event_p20210101 FOR VALUES …',
    },
    copy: {
      options: "format text, encoding 'UTF8'",
      columns: 'id, ts, "Odd ""name"',
      pins: { TimeZone: 'UTC' },
    },
    contents: {
      rows: 3,
      bytes: 12,
      lineHash: 'sum64-xxh64',
      lineHashSum: '0123456789abcdef',
      countedWhole: true,
    },
    segments: [
      {
        number: 0,
        firstBlock: 0,
        nextBlock: 128,
        rows: 3,
        bytes: 12,
        sha256: 'a'.repeat(64),
        lineHashSum: '0123456789abcdef',
        orderDiffers: false,
        objects: [{ key: `${prefix}/data/${archiveId}-0.tsv`, versionId: 'v1', bytes: 12 }],
      },
      {
        number: 1,
        firstBlock: 128,
        nextBlock: null,
        rows: 0,
        bytes: 0,
        sha256: 'b'.repeat(64),
        lineHashSum: '0000000000000000',
        orderDiffers: false,
        objects: [],
      },
    ],
    ddl: {
      key: `${prefix}/ddl/${archiveId}-event_p20210101.sql`,
      versionId: 'v2',
      bytes: 99,
      sha256: 'c'.repeat(64),
      template: { schema: 'app', columns: [{ name: 'id' }] },
    },
    times: {
      quarantinedAt: '2026-03-01T00:00:00Z',
      exportedAt: '2026-03-01T00:01:00Z',
      committedAt: '2026-03-01T00:02:00Z',
    },
    ...changes,
  };
}

/** Every place of a document where a value stands, as a path of members. */
export function leaves(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

/** A copy with one value replaced. */
export function withLeaf<T>(document: T, path: readonly string[], change: (old: unknown) => unknown): T {
  const copy = structuredClone(document);
  let parent = copy as Record<string, unknown>;
  for (const name of path.slice(0, -1)) parent = parent[name] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  parent[last] = change(parent[last]);
  return copy;
}
