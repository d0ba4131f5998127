import type { Step } from './step.ts';
import { ALARM } from './steps/alarm.ts';
import { ARCHIVE, DROP, RESTORE } from './steps/archive.ts';
import { COPIES } from './steps/copies.ts';
import {
  HEALTHY_TARGET,
  MAKE_ROWS,
  NOT_PREPARED,
  PREPARE,
  PREPARE_AGAIN,
  REFUSED_SECRETS,
} from './steps/database.ts';
import { FIRST_DEPLOYMENT, PREVIOUS_VERSION, ROLLBACK, UPDATE } from './steps/deployments.ts';
import { ALIASES, ASLEEP, PROPERTIES } from './steps/only-aws-knows.ts';
import { DESTROY, LEFT } from './steps/removal.ts';
import { BOOTSTRAP, ENGINE, SURROUNDINGS } from './steps/surroundings.ts';

/** Removes what a run made, and tells what is left. */
export const REMOVAL: readonly Step[] = [DESTROY, LEFT];

/** What is shown, in this order. */
// prettier-ignore
export const STEPS: readonly Step[] = [
  BOOTSTRAP, ENGINE, SURROUNDINGS, PROPERTIES,
  PREVIOUS_VERSION, FIRST_DEPLOYMENT, REFUSED_SECRETS, NOT_PREPARED,
  MAKE_ROWS, PREPARE, HEALTHY_TARGET, ARCHIVE, ALIASES,
  UPDATE, PREPARE_AGAIN, DROP, COPIES, RESTORE,
  ALARM, ROLLBACK, ASLEEP,
  ...REMOVAL,
];
