import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type postgres from 'postgres';

/** A deadlock that a server found, as its log has it. */
export interface Deadlock {
  readonly database: string;
  /** The role whose transaction was ended. */
  readonly victim: string;
  /** All that waited for each other, the victim among them; `unknown` for one that the log does not know. */
  readonly roles: readonly string[];
  /** What they were doing, one statement a line. */
  readonly statements: string;
}

/** Whether a session of the archiver's was in it: then it should have given up before. */
export const isOurs = ({ roles }: Deadlock): boolean => roles.some((role) => /^archive|^unknown$/.test(role));

/** `log_line_prefix` of the local stack: process, role, database. */
const LINE = /^\S+ \S+ \S+ \[(?<pid>\d+)\] (?<role>[^@ ]*)@(?<database>\S*) (?<rest>.*)$/;

/**
 * Reads the log of a stack's PostgreSQL from where it has read before. Clients are not told whom they were in a deadlock
 * with; the log names the processes, and who they are is known from when they logged in.
 */
export class ServerLog {
  readonly #file: string;
  readonly #roles = new Map<string, string>();
  #offset = 0;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Has the server log who logs in, from now on. `sql` is a superuser's. */
  static async follow(directory: string, sql: postgres.Sql): Promise<ServerLog> {
    const file = join(directory, 'log', 'postgres.log');
    if (!existsSync(file)) throw new Error(`the server has no log ${file}`);
    await sql`alter system set log_connections = on`;
    await sql`select pg_reload_conf()`;
    return new ServerLog(file);
  }

  /** The deadlocks since the last time. */
  read(): Deadlock[] {
    return parseDeadlocks(this.#more(), this.#roles);
  }

  #more(): string {
    const file = openSync(this.#file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
      readSync(file, bytes, 0, bytes.length, this.#offset);
      this.#offset += bytes.length;
      return bytes.toString('utf8');
    } finally {
      closeSync(file);
    }
  }
}

/** The deadlocks in a log. `roles` are those of the processes, by their numbers; what the log says of them is added. */
export function parseDeadlocks(log: string, roles = new Map<string, string>()): Deadlock[] {
  const found: Deadlock[] = [];
  const lines = log.split('\n');
  for (const [index, line] of lines.entries()) {
    const { pid = '', role = '', database = '', rest = '' } = LINE.exec(line)?.groups ?? {};
    const user = / authori[sz]ed: user=(\S+)/.exec(rest)?.[1] ?? role;
    if (pid !== '' && user !== '' && user !== '[unknown]') roles.set(pid, user);
    if (!rest.startsWith('ERROR:  deadlock detected')) continue;
    const end = lines.findIndex((other, at) => at > index + 1 && !other.startsWith('\t'));
    const detail = lines.slice(index + 1, end === -1 ? undefined : end).join('\n');
    const processes = [...detail.matchAll(/Process (\d+) waits for/g)].map(([, number = '']) => number);
    const statements = [...detail.matchAll(/Process \d+: ([^]*?)(?=\n\tProcess |$)/g)].map(
      ([, text = '']) => text,
    );
    const names = processes.map((number) => roles.get(number) ?? 'unknown');
    found.push({ database, victim: role, roles: names, statements: statements.join('\n') });
  }
  return found;
}
