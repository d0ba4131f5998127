/** What to do about an error of the server, by its SQLSTATE or else by the class of it. */
export const SQLSTATE_HINTS: Readonly<Record<string, string>> = {
  '42501':
    'A privilege is missing. Grant what the message names to the role that it is about; prepare lists what the archiver needs.',
  '42883':
    'A function or operator is not there, or is not found by the search_path of the function that calls it. Give the calling function a search_path of its own: alter function … set search_path = ….',
  '42': 'A definition does not fit: an object that the message names is not there, is there twice, or is of another kind. Look at it, and change the definition.',
  '0A': 'PostgreSQL does not support this for an object that the message names. Change the definition.',
  '22': 'A value does not fit its type or its range. Look at the values, the input and the settings that the step works with.',
  '23': 'A constraint is violated. Look at the constraint and at the rows that it is about.',
  '25006':
    'The server or the session is read-only. After a failover the name of the writer may lead to a reader for a while. Otherwise look at the endpoint and at default_transaction_read_only.',
  '28': 'The login is refused. Check the name of the role, its password and its secret, and pg_hba.conf; prepare sets the passwords.',
  '53200':
    'The server has run out of shared memory or of memory. Raise max_locks_per_transaction if the lock table is full, or run fewer partitions at a time.',
  '53300':
    'The server takes no more connections. Raise max_connections, or lower the concurrency of the configuration.',
  '53': 'The server has run out of a resource that the message names. Give it more, or use less of it at a time.',
  '54': 'A limit of PostgreSQL is exceeded. Look at the object or the value that the message names.',
  '55': 'An object is not in the state that the statement needs. Look at the object that the message names, and at what other sessions do with it.',
  P0: 'A function raised this error. Look at the message and at the function that it names.',
  XX: 'The server met an internal error. Look at its log, and at the health of its storage.',
};

/** The hint for a message that ends with a SQLSTATE; `undefined` where it has none, or one that nothing is known of. */
export function sqlstateHint(message: string): string | undefined {
  const sqlstate = [...message.matchAll(/\(SQLSTATE ([0-9A-Z]{5})\)/g)].at(-1)?.[1];
  if (sqlstate === undefined) return undefined;
  return SQLSTATE_HINTS[sqlstate] ?? SQLSTATE_HINTS[sqlstate.slice(0, 2)];
}
