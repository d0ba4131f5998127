/** The page of all changes, as text. */
import type { CloudTemplate } from '../rules/rule.ts';
import type { ChangedSetting } from './changed-setting.ts';
import type { Change } from './compare.ts';
import { isKept } from './refusals.ts';

/** A changed setting, and what comes of it. */
export interface Line {
  readonly setting: ChangedSetting;
  readonly before: CloudTemplate;
  readonly after: CloudTemplate;
  readonly change: Change;
}

const HEAD = `# Changing a setting later

What \`cdk deploy\` does to a deployed stack when one setting of the deployment file changes. A test writes this page: it compares the two
templates as CloudFormation does, and finds no name that is taken, no rule of a security group twice, no bucket or key that is replaced
or deleted, and no key of an archive that is no longer read. \`cdk diff\` shows the same for your file.

*Keeps* are resources that leave the stack and stay in the account. *May replace* counts as *replaces*.

Another \`stackName\`, account or Region is another stack: the former one stays, with its roles attached to the database. Delete it first,
then deploy onto its bucket ([uninstall.md](uninstall.md#deploy-again-onto-the-same-bucket)).

`;

/** Markdown. */
export function changesPage(lines: readonly Line[]): string {
  const rows = lines.map((line) =>
    [settingsText(line.setting), line.setting.change, whatHappens(line), line.setting.seen].join(' | '),
  );
  const table = ['setting | change | CloudFormation | what you see and do', '--- | --- | --- | ---', ...rows];
  return `${HEAD}${table.map((row) => `| ${row} |\n`).join('')}`;
}

/** `archive.tiers.standardIaDays`, `archive.tiers.…`: a section once. */
function settingsText({ settings }: ChangedSetting): string {
  const sections = new Map<string, string[]>();
  for (const setting of settings) {
    const [, section = '', name = ''] = /^(.*\.)?([^.]+)$/.exec(setting) ?? [];
    sections.set(section, [...(sections.get(section) ?? []), name]);
  }
  const text = ([section, names]: [string, string[]]): string =>
    `\`${section.replace('.[].', '[].')}${names[0] ?? ''}\`${names
      .slice(1)
      .map((name) => `, \`${name}\``)
      .join('')}`;
  return [...sections].map(text).join('; ');
}

function whatHappens({ before, after, change }: Line): string {
  const types = (ids: readonly string[], { Resources }: CloudTemplate): string =>
    counted(ids.map((id) => (Resources[id]?.Type ?? '').replace(/^AWS::/, '')));
  const kept = change.removed.filter((id) => isKept(before.Resources[id]?.DeletionPolicy));
  const gone = change.removed.filter((id) => !kept.includes(id));
  const parts = [
    ['adds', types(change.added, after)],
    [
      'replaces',
      types(
        change.replaced.map(({ id }) => id),
        after,
      ),
    ],
    ['changes', types(change.updated, after)],
    ['deletes', types(gone, before)],
    ['keeps', types(kept, before)],
  ].filter(([, what]) => what !== '');
  return parts.length === 0 ? 'nothing' : parts.map((part) => part.join(' ')).join('; ');
}

/** `19 Lambda::Function, IAM::Role`. */
function counted(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([type, count]) => (count === 1 ? type : `${String(count)} ${type}`))
    .join(', ');
}
