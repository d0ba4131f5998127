import { readBucketSettings, type BucketSettings } from './settings.ts';
import { timed, type Handler, type Timing } from './timed.ts';

/** What a step without a database works with. */
export interface BucketStepContext extends Timing {
  readonly settings: BucketSettings;
}

/** Wires a step that works with the archive bucket alone. */
export function bucketStep<Event, Answer>(
  name: string,
  work: (event: Event, context: BucketStepContext) => Promise<Answer>,
): Handler<Event, Answer> {
  const settings = readBucketSettings();
  return timed<Event, Answer>(name, (event, timing) => work(event, { settings, ...timing }));
}
