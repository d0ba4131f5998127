import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const VERSION = '476';
/** The last server that Maven Central has; it refuses older ones at its start. */
const LEAST_JAVA = 24;
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const ARTIFACTS = [
  {
    name: 'trino-server-core',
    type: 'tar.gz',
    sha256: '0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158',
  },
  {
    name: 'trino-hive',
    type: 'zip',
    sha256: '611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e',
  },
] as const;

const ROOT = join(import.meta.dirname, '../..');

/** A Trino on this machine: the program `java`, the server's classes, and the folder of the one plug-in. */
export interface TrinoSoftware {
  readonly java: string;
  readonly libraries: string;
  readonly plugins: string;
}

/**
 * Trino's server and its Hive connector, pinned, by the Maven of this machine (450 MB, once), below `.local`. Throws where
 * Java or Maven is missing, and says what to install.
 */
export async function trinoSoftware(): Promise<TrinoSoftware> {
  const java = findJava();
  const folder = join(ROOT, '.local', `trino-${VERSION}`);
  if (!existsSync(folder)) await install(folder);
  return {
    java,
    libraries: join(folder, 'trino-server-core', `trino-server-core-${VERSION}`, 'lib'),
    plugins: join(folder, 'trino-hive'),
  };
}

function findJava(): string {
  const homes = [
    process.env['JAVA_HOME'] ?? '',
    ...(existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}`) : []),
  ];
  const found = homes
    .filter((home) => home !== '')
    .map((home) => join(home, 'bin', 'java'))
    .find((java) => {
      const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
      return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) >= LEAST_JAVA;
    });
  if (found !== undefined) return found;
  throw new Error(
    `Trino ${VERSION} needs Java ${String(LEAST_JAVA)} or later: set JAVA_HOME, or install openjdk-25-jre-headless`,
  );
}

async function install(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const { name, type, sha256 } of ARTIFACTS) {
    const artifact = `-Dartifact=io.trino:${name}:${VERSION}:${type}`;
    maven(unfinished, `${PLUGIN}:copy`, artifact, `-DoutputDirectory=${unfinished}`);
    const file = join(unfinished, `${name}-${VERSION}.${type}`);
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const found = hash.digest('hex');
    if (found !== sha256) throw new Error(`${file} has the SHA-256 ${found}, not ${sha256}`);
    rmSync(file);
    maven(unfinished, `${PLUGIN}:unpack`, artifact, `-DoutputDirectory=${join(unfinished, name)}`);
  }
  renameSync(unfinished, folder);
}

/** Runs Maven in a folder, where it leaves one that is called `${project.basedir}`. */
function maven(cwd: string, ...args: string[]): void {
  // Where it downloads from is the machine's own setting.
  execFileSync('mvn', ['--batch-mode', '--quiet', ...args], { cwd, stdio: 'inherit' });
}
