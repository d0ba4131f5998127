import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CrashBench } from '../../crash/bench.ts';
import { recordPoints, tryFault } from '../../crash/case.ts';
import { FAULTS } from '../../crash/faults.ts';
import { Gate, PASS, type Point } from '../../support/faults/gate.ts';
import type { Lines } from '../../support/invariant.ts';
import { stack } from '../../support/stack.ts';

/** How many of all cases; `npm run test:crash` tries every one. */
const WAYS = [
  { way: 'aws_s3', sample: 12 },
  { way: 'stream', sample: 6 },
] as const;

describe.each(WAYS)('exported by $way', ({ way, sample }) => {
  let bench: CrashBench | undefined;
  let points: readonly Point[] = [];
  let known: Lines | undefined;

  beforeAll(async () => {
    bench = await CrashBench.start(stack(), `crash_sample_${way}`, { export: way });
    ({ points, known } = await recordPoints(bench));
  });
  afterAll(() => bench?.close());

  test('a fault at any point of a run loses nothing, and the next runs end it (a sample of the matrix)', async () => {
    const cases = points.flatMap((point) =>
      FAULTS.filter((fault) => fault.alone !== true && fault.appliesTo(point)).map((fault) => ({
        point,
        fault,
      })),
    );
    expect(cases.length).toBeGreaterThan(sample);
    const every = Math.floor(cases.length / sample);
    for (const each of cases.filter((_, index) => index % every === 0)) {
      if (bench === undefined || known === undefined)
        throw new Error('the bench exists only while tests run');
      const { problems } = await tryFault(bench, known, each);
      expect({ point: each.point, fault: each.fault.name, problems }).toEqual({
        point: each.point,
        fault: each.fault.name,
        problems: [],
      });
    }
  });

  // Seen to fail where begin_segment in db/archive/export.sql locks the parent as well.
  test('while S3 is waited for, nothing is locked that an application may wait for', async () => {
    if (bench === undefined) throw new Error('the bench exists only while tests run');
    const crash = await bench.begin();
    const locks = new Set<string>();
    try {
      const end = await crash.run(
        new Gate(async ({ label }) => {
          // The preflight looks at the bucket's settings and at the tables at the same time.
          if (/ (data|ddl|manifest)$|upload$/.test(label)) {
            for (const { lock } of await crash.locks()) locks.add(lock);
          }
          return PASS;
        }),
      );
      expect(end).toMatchObject({ ok: true, archived: 2, dropped: 2 });
    } finally {
      await crash.end();
    }
    expect([...locks]).toEqual(['AccessShareLock on partition_archiver_quarantine']);
  });
});
