import type { RestoreDatabase } from '../../../core/restore/database.ts';
import { beginOn } from './begin.ts';
import { finishOn } from './publish.ts';
import { loadOn } from './import.ts';
import { proveOn } from './prove.ts';
import { sessionsOf, type RestoreConnections } from './sessions.ts';

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
