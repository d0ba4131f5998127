import { readFileSync } from 'node:fs';

/** Memory that a process has in use, in MiB; 0 where nothing can be known of it. Reads Linux's /proc. */
export function readMemory(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
    return Math.round(Number(kibibytes ?? 0) / 1024);
  } catch {
    return 0;
  }
}
