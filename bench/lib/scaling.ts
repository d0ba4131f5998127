/** What the calculation takes for granted; the measured figures are of one core of this machine. */
export interface Assumptions {
  /** MB of COPY text that one backend exports in a second, on a core of its own. */
  readonly exportRate: number;
  /** MB of COPY text that one Lambda and its backend verify in a second. */
  readonly verifyRate: number;
  /** Bytes of COPY text for each byte of table. */
  readonly textPerTable: number;
}

/** MB/s out of one instance, by its baseline network and EBS throughput (db.r6g.4xlarge and db.r6g.16xlarge). */
const INSTANCES = [
  { vCpu: 16, storageMBps: 593 },
  { vCpu: 64, storageMBps: 2375 },
] as const;

/** List prices of US East as known when this was written, not looked up by the run: Standard state transitions, Lambda on Graviton, S3 requests, a month of S3 Standard-IA. */
const PRICES = {
  transition: 0.000025,
  lambdaGiBSecond: 0.0000133334,
  put: 0.000005,
  get: 0.0000004,
  standardIaGBMonth: 0.0125,
} as const;

const SEGMENT_MIB = 1024;
const VERIFY_GIB = 0.5;
const EXPORT_GIB = 0.25;
/** aws_s3 sends parts of several MB; what it really sends is not documented. */
const PART_MB = 8;
/** Half of the processors: the other half is the application's. */
const SHARE = 0.5;
/** History events of a Task with its state: entered, scheduled, started, succeeded, exited. */
const EVENTS_PER_TASK = 5;

/** What one partition of a size costs on an instance. */
export interface Estimate {
  readonly vCpu: number;
  readonly tableTB: number;
  readonly segments: number;
  readonly atOnce: number;
  readonly connections: number;
  readonly minutes: number;
  readonly childExecutions: number;
  /** Events of the execution with the most. */
  readonly mostEvents: number;
  readonly payloadKiB: number;
  readonly dollars: number;
  readonly storageDollarsAMonth: number;
}

/** Calculates what cannot be run here. */
export function estimate(tableTB: number, assumptions: Assumptions): Estimate[] {
  return INSTANCES.map(({ vCpu, storageMBps }) => {
    const segments = Math.ceil((tableTB * 1e12) / (SEGMENT_MIB * 1024 * 1024));
    const textMB = tableTB * 1e6 * assumptions.textPerTable;
    const atOnce = Math.min(100, segments, Math.floor(vCpu * SHARE));
    // A segment's backend works on it once to export and once to verify; the disk gives it twice as well.
    const secondsEach =
      textMB / segments / assumptions.exportRate + textMB / segments / assumptions.verifyRate;
    const byProcessor = (segments * secondsEach) / atOnce;
    const byStorage = (2 * tableTB * 1e6) / storageMBps;
    const exportSeconds = textMB / assumptions.exportRate;
    const verifySeconds = textMB / assumptions.verifyRate;
    // Of a segment's child execution: Export, Verify, the Pass at its end.
    const transitions = segments * 4 + 20;
    const dollars =
      transitions * PRICES.transition +
      (exportSeconds * EXPORT_GIB + verifySeconds * VERIFY_GIB) * PRICES.lambdaGiBSecond +
      (textMB / PART_MB) * PRICES.put +
      segments * 2 * PRICES.get;
    return {
      vCpu,
      tableTB,
      segments,
      atOnce,
      // One to export; two to verify, of which the first only waits.
      connections: atOnce * 2,
      minutes: Math.max(byProcessor, byStorage) / 60,
      childExecutions: segments + 1,
      // The segments' own executions have no part in it: a distributed Map has but a handful of events of its own.
      mostEvents: EVENTS_PER_TASK * 4 + 12,
      payloadKiB: (segments * (String(segments).length + 1)) / 1024,
      dollars,
      storageDollarsAMonth: (textMB / 1000) * PRICES.standardIaGBMonth,
    };
  });
}

/** The assumptions in words. */
export function describeAssumptions({ exportRate, verifyRate, textPerTable }: Assumptions): string {
  return [
    `one backend exports ${exportRate.toFixed(0)} MB of COPY text a second and verifies ${verifyRate.toFixed(0)} (measured here with one segment at a time);`,
    `a byte of table makes ${textPerTable.toFixed(2)} bytes of text (measured, narrow rows);`,
    `half of the processors are used (\`concurrency.segments\`); the instance reads ${INSTANCES.map(({ vCpu, storageMBps }) => `${storageMBps} MB/s with ${vCpu} vCPU`).join(', ')} from its volume at most, twice over;`,
    `segments of ${SEGMENT_MIB} MiB; export runs with ${EXPORT_GIB * 1024} MiB of Lambda memory, verify with ${VERIFY_GIB * 1024} MiB, whose processor share is assumed to keep up (a third of a vCPU reads about 30 MB/s of narrow rows: measure, and give it more memory where it does not);`,
    'list prices of US East (N. Virginia), to be checked before anybody relies on them: state transitions, Lambda GB-seconds, S3 requests; without RDS Proxy, NAT or endpoints, KMS, logs, and without the instance, which runs anyway.',
  ].join(' ');
}
