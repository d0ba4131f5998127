import { DAYS_TO_CONVERT } from './runtime.ts';
import { longestPauseDays } from './longest-pause.ts';

const pauseDays = (schedule: string): number => Math.ceil(longestPauseDays(schedule));

/** So many days before its text may expire, *Convert* withdraws an archive from Glue; it is started at least once in them. */
export const DAYS_BEFORE_EXPIRY = 7;

/** The first day, counted from the export, on which text may move to Glacier, where *Convert* has this schedule. */
export const leastTierDays = (schedule: string): number => pauseDays(schedule) + DAYS_TO_CONVERT;

/**
 * Days without a copy from which on an alarm is raised: half of the days that lie between the latest start of *Convert* and the
 * first tier are for its executions and their alarms, half for an operator.
 */
export const lateCopyDays = (schedule: string): number => pauseDays(schedule) + DAYS_TO_CONVERT / 2;
