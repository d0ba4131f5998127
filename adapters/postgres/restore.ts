import type { RestoreDatabase } from '../../core/restore/database.ts';
import { beginOn } from './restore/begin.ts';
import { finishOn } from './restore/finish.ts';
import { loadOn } from './restore/load.ts';
import { proveOn } from './restore/prove.ts';
import { sessionsOf, type RestoreConnections } from './restore/sessions.ts';

/** `restore` on PostgreSQL, as `archiver_restore`: it runs archived DDL as itself and may do nothing elsewhere. */
export function restoreDatabase(connections: RestoreConnections): RestoreDatabase {
  const sessions = sessionsOf(connections);
  return {
    ...beginOn(sessions),
    ...loadOn(sessions),
    ...proveOn(sessions, connections),
    ...finishOn(sessions),
  };
}
