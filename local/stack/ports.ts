import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * Asks the kernel for a different free TCP port on 127.0.0.1 for each name.
 *
 * All of them are held open until the last one is known, so no two are equal. Somebody else may take one
 * between this call and the daemon's own bind; the kernel hands ephemeral ports out in a wide random order,
 * so that has to be accepted and not defended against.
 */
export async function freePorts<Name extends string>(names: readonly Name[]): Promise<Record<Name, number>> {
  const servers = await Promise.all(
    names.map(async (name) => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return { name, server, port: (server.address() as AddressInfo).port };
    }),
  );
  await Promise.all(
    servers.map(
      ({ server }) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    ),
  );
  return Object.fromEntries(servers.map(({ name, port }) => [name, port])) as Record<Name, number>;
}
