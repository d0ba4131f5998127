import { gzipSync } from 'node:zlib';

/** The output of an execution is limited to 256 KiB, and has to leave room for what is around it. */
const MOST_BYTES = 200 * 1024;

/** A script as the output of an execution: as it is, or packed where it does not fit. */
export type PackedScript =
  | { readonly sql: string }
  | { readonly sqlGzipBase64: string; readonly bytes: number; readonly nextStep: string };

const HOW =
  'aws stepfunctions describe-execution --execution-arn <this execution> --query output --output text | jq -r .sqlGzipBase64 | base64 -d | gunzip > prepare.sql';

/** Packs a script into the output of an execution. */
export function packScript(sql: string): PackedScript {
  if (Buffer.byteLength(JSON.stringify(sql)) <= MOST_BYTES) return { sql };
  const sqlGzipBase64 = gzipSync(sql, { level: 9 }).toString('base64');
  return { sqlGzipBase64, bytes: Buffer.byteLength(sql), nextStep: `To see it: ${HOW}` };
}
