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

/** Shows a result that has no form for people but JSON. */
export function showJson(context: CommandContext, result: unknown): void {
  context.show(result, (say) => {
    say(JSON.stringify(result, null, 2));
  });
}
