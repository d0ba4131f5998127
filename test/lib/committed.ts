/** The stack of the example file with an administrator, as the committed files show it. */
import { readableJson } from '../support/committed.ts';
import {
  exampleConfig,
  resources,
  synthesise,
  withAdministrator,
  withQuery,
  type Resource,
} from './synthesise.ts';
import { ask } from './synthesis/ask.ts';

const CHANGES = { ...withAdministrator(), env: undefined };

/** One line a resource: what it is, and its construct's path. */
export function resourceLines(): string {
  return ask({ what: 'resources', file: exampleConfig(CHANGES) }) as string;
}

/** The outputs. */
export function outputs(): string {
  return `${readableJson(synthesise(CHANGES).findOutputs('*'))}\n`;
}

/** The definition of each workflow. */
export function definitions(): Map<string, string> {
  const found = new Map<string, string>();
  const template = synthesise({ ...CHANGES, ...withQuery(), glueDatabase: 'shop_archive' });
  for (const [, resource] of resources(template, 'AWS::StepFunctions::StateMachine')) {
    const metadata = resource['Metadata'] as Readonly<Record<string, string>> | undefined;
    const workflow = metadata?.['partition-archiver:workflow'];
    // That of the CDK's own framework has none.
    if (workflow !== undefined) found.set(workflow, `${readableJson(definitionOf(resource))}\n`);
  }
  return found;
}

/** The definition as an object; the template has it as one line of text, with references in it. */
function definitionOf({ Properties }: Resource): unknown {
  const { 'Fn::Join': join } = Properties['DefinitionString'] as { 'Fn::Join': [string, unknown[]] };
  const parts = join[1].map((part) =>
    typeof part === 'string' ? part : `<${JSON.stringify(part).replace(/[{}"]/g, '')}>`,
  );
  return JSON.parse(parts.join(''), kindFirst);
}

/** What a state is and what it is for stand before all else. */
function kindFirst(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('Type' in value)) return value;
  const rank = (key: string): number => ['Type', 'Comment'].indexOf(key) + 1 || 3;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => rank(one) - rank(other)));
}
