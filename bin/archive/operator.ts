import { s3ArchiveStore } from '../../adapters/s3/archive-store.ts';
import type { ArchiveStore } from '../../core/archive-store.ts';
import type { CommandContext } from './command.ts';
import { localOperations, type Operations } from './operations.ts';

/** The operator's verbs, wired to what the command was given. */
export const operations = (context: CommandContext): Operations =>
  localOperations({
    ...context,
    expiry: context.config.expiry,
    segmentsAtOnce: context.config.concurrency.segments,
    archivesAtOnce: context.config.concurrency.partitions,
  });

/** The archive bucket. */
export const storeOf = ({ s3, bucket, region }: CommandContext): ArchiveStore =>
  s3ArchiveStore(s3, bucket, region);

/** Shows a result that has no form for people but JSON. */
export function showJson(context: CommandContext, result: unknown): void {
  context.show(result, (say) => {
    say(JSON.stringify(result, null, 2));
  });
}
