import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { readBucketSettings, readRuntimeConfig, type BucketSettings } from './settings.ts';
import { timed, type Handler, type Timing } from './timed.ts';

/** What a step without a database works with. */
export interface BucketStepContext extends Timing {
  readonly settings: BucketSettings;
  readonly config: RuntimeConfig;
}

/** Wires a step that works with the archive bucket alone. */
export function bucketStep<Event, Answer>(
  name: string,
  work: (event: Event, context: BucketStepContext) => Promise<Answer>,
): Handler<Event, Answer> {
  const settings = readBucketSettings();
  const config = readRuntimeConfig();
  return timed<Event, Answer>(name, (event, timing) => work(event, { settings, config, ...timing }));
}
