import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** The build with a function for each step. */
const BEFORE = 'a9b8896';

/** What `cdk synth` costs, and what a deployment uploads, beside the build with a function for each step. */
export const deployment: Case = {
  names: ['synth-cpu', 'template-bytes', 'uploaded-bytes'],
  run: async ({ directory, quick }) => {
    const builds = { before: await buildBefore(), now: ROOT };
    const samples = new Samples();
    const assemblies = new Map<string, string>();
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      for (const [name, build] of Object.entries(builds)) {
        const output = join(directory, `${name}-${String(round)}`);
        samples.add(name, await synthesise(build, output));
        assemblies.set(name, output);
      }
    }
    const sizes = Object.keys(builds).map((name) => sizesOf(assemblies.get(name) ?? ''));
    const [before, now] = sizes;
    if (before === undefined || now === undefined) throw new Error('nothing was synthesised');
    return {
      rows: [
        atMost('synth-cpu', samples.ratio('now', 'before'), 0.5),
        atMost('template-bytes', now.template / before.template, 0.5),
        atMost('uploaded-bytes', now.uploaded / before.uploaded, 0.3),
      ],
      figures: [
        `The example file with an administrator, by this build and by ${BEFORE}. CPU is that of \`cdk synth\` with all that it starts, seconds. Uploaded are the template and the assets of a first database, zipped; of a second one it is the template alone, where before it was everything but 2 of 40 assets.`,
        '',
        table(
          ['build', 'CPU of synth', 'template, bytes', 'without indentation', 'uploaded, bytes', 'assets'],
          Object.keys(builds).map((name, index) => [
            name === 'now' ? 'this one' : BEFORE,
            samples.show(name),
            (sizes[index]?.template ?? NaN).toLocaleString('en'),
            (sizes[index]?.compact ?? NaN).toLocaleString('en'),
            (sizes[index]?.uploaded ?? NaN).toLocaleString('en'),
            sizes[index]?.assets ?? NaN,
          ]),
        ),
      ].join('\n'),
    };
  },
};

/** A work tree of the earlier build with its own packages, outside of the repository's and kept for the next run. */
async function buildBefore(): Promise<string> {
  const folder = join(tmpdir(), `partition-archiver-build-${BEFORE}`);
  if (!existsSync(folder)) await run('git', ['worktree', 'add', '--detach', folder, BEFORE], { cwd: ROOT });
  if (!existsSync(join(folder, 'node_modules/aws-cdk'))) {
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  }
  return folder;
}

/** Runs `cdk synth`; seconds of processor, of all processes. */
async function synthesise(build: string, output: string): Promise<number> {
  const example = JSON.parse(readFileSync(join(build, 'partition-archiver.example.json'), 'utf8')) as {
    database: object;
  };
  const adminSecretArn =
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-0a1b2c3d-AbCdEf';
  mkdirSync(output, { recursive: true });
  const file = join(output, 'partition-archiver.json');
  writeFileSync(file, JSON.stringify({ ...example, database: { ...example.database, adminSecretArn } }));
  const assembly = join(output, 'cdk.out');
  const cdk =
    'node node_modules/aws-cdk/bin/cdk synth --quiet --no-notices --output "$1" --context "config=$2"';
  const { stdout } = await run('sh', ['-c', `${cdk} >&2 && times`, 'sh', assembly, file], {
    cwd: build,
    env: { ...process.env, PATH: `${join(build, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
    maxBuffer: 64 * 1024 * 1024,
  });
  // The second line of `times` is what the shell waited for: user, system.
  const [, line = ''] = stdout.trim().split('\n');
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}

interface Sizes {
  readonly template: number;
  /** The same templates without indentation, as this build writes them. */
  readonly compact: number;
  readonly uploaded: number;
  readonly assets: number;
}

function sizesOf(output: string): Sizes {
  const assembly = join(output, 'cdk.out');
  const name = readdirSync(assembly).find((each) => each.endsWith('.assets.json')) ?? '';
  const { files } = JSON.parse(readFileSync(join(assembly, name), 'utf8')) as {
    files: Record<string, { source: { path: string; packaging: 'zip' | 'file' } }>;
  };
  const sources = Object.values(files).map(({ source }) => source);
  const bytes = ({ path, packaging }: { path: string; packaging: 'zip' | 'file' }): number =>
    packaging === 'zip' ? zipped(join(assembly, path)) : statSync(join(assembly, path)).size;
  const template = sources.filter(({ path }) => path.endsWith('.template.json'));
  const sum = (of: typeof sources): number => of.reduce((total, source) => total + bytes(source), 0);
  const compact = template.reduce((total, { path }) => {
    const text = readFileSync(join(assembly, path), 'utf8');
    return total + Buffer.byteLength(JSON.stringify(JSON.parse(text)));
  }, 0);
  const assets = sources.length - template.length;
  return { template: sum(template), compact, uploaded: sum(sources), assets };
}

/** Bytes of a folder as a zip file: each file deflated, with its two headers. */
function zipped(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .reduce(
      (sum, file) => sum + deflateRawSync(readFileSync(file)).length + 76 + 2 * (file.length - folder.length),
      22,
    );
}
