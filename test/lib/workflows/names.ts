/** Every workflow of a deployment with everything on: its name in tags, and its file in `test/lib/asl`. */
export const WORKFLOWS = [
  'archive',
  'restore',
  'drill',
  'heartbeat',
  'find',
  'audit',
  'resume',
  'convert',
  'release',
  'reverify',
  'upgrade-ledger',
  'adopt',
  'prepare-database',
  'inspect',
  'partition-table',
] as const;
