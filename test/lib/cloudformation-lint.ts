/**
 * `npm run lint:cloudformation`: cfn-lint on the templates of all configurations, by its own copy of the CloudFormation
 * schemas. It is Python, comes from PyPI, and takes a minute, so that neither `npm test` nor CI has it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIGURATIONS } from './configurations.ts';
import { exampleConfig } from './example.ts';

const VERSION = '1.58.0';

/** What is left as it is, with the reason. */
const IGNORED: Readonly<Record<string, string>> = {
  W3005: 'The CDK adds DependsOn to what a reference orders already, for each function and its role.',
};

const ROOT = join(import.meta.dirname, '../..');
const run = (command: string, args: readonly string[], env: Record<string, string> = {}): void => {
  execFileSync(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
};

const python = join(ROOT, '.local', `cfn-lint-${VERSION}`, 'bin');
if (!existsSync(join(python, 'cfn-lint'))) {
  run('python3', ['-m', 'venv', join(python, '..')]);
  run(join(python, 'pip'), ['install', '--quiet', `cfn-lint==${VERSION}`]);
}
const folder = mkdtempSync(join(tmpdir(), 'partition-archiver-lint-'));
try {
  const files = Object.entries(CONFIGURATIONS).map(([name, changes], index) => {
    const file = join(folder, `${String(index)}.json`);
    writeFileSync(
      file,
      JSON.stringify(exampleConfig({ ...changes, stackName: name.replaceAll(/\W/g, '-') })),
    );
    return file;
  });
  const context = JSON.stringify({ config: files.join(','), 'aws:cdk:bundling-stacks': [] });
  const assembly = join(folder, 'cdk.out');
  run(process.execPath, ['bin/app.ts'], { CDK_CONTEXT_JSON: context, CDK_OUTDIR: assembly });
  const ignored = Object.keys(IGNORED).flatMap((rule) => ['--ignore-checks', rule]);
  const templates = Object.keys(CONFIGURATIONS).map((name) =>
    join(assembly, `${name.replaceAll(/\W/g, '-')}.template.json`),
  );
  run(join(python, 'cfn-lint'), ['--regions', 'eu-central-1', ...ignored, '--', ...templates]);
  process.stdout.write(`cfn-lint ${VERSION}: nothing to fix in ${String(templates.length)} configurations\n`);
} finally {
  rmSync(folder, { recursive: true });
}
