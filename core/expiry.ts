import type { Expiry } from './config/runtime.ts';
import type { Manifest } from './manifest.ts';

export const DAY_MS = 24 * 60 * 60_000;

/**
 * When S3 may expire data of an archive at the earliest, in milliseconds since 1970. It counts from each object's
 * export, which comes after the quarantine, so that this is early by the length of an export.
 */
export function expiresAt({ times }: Manifest, { days }: Expiry): number {
  return Date.parse(times.quarantinedAt) + days * DAY_MS;
}
