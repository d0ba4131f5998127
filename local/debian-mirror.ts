import { run } from './stack/commands.ts';

/** Where apt of this machine gets Debian's packages from. */
export interface DebianMirror {
  readonly main: string;
  /** Undefined where no source for security updates is configured. */
  readonly security: string | undefined;
}

/** Asks apt for its own mirror of Debian, so that none is written down here. */
export async function debianMirror(): Promise<DebianMirror> {
  const format = '$(SITE) $(ORIGIN) $(LABEL) $(COMPONENT)';
  const targets = await run(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  const site = (label: string): string | undefined =>
    targets
      .split('\n')
      .map((line) => line.split(' '))
      .find((fields) => fields[1] === 'Debian' && fields[2] === label && fields[3] === 'main')?.[0];
  const main = site('Debian');
  if (main === undefined) {
    throw new Error('apt of this machine has no Debian mirror, or no package lists yet (apt-get update)');
  }
  return { main, security: site('Debian-Security') };
}
