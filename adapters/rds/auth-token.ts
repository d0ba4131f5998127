import { SignatureV4, type SignatureV4CryptoInit, type SignatureV4Init } from '@smithy/signature-v4';

/** As whom, and where, a token logs in. It is good for that only. */
export interface TokenSubject {
  /** Exactly as the client connects to it: what the server compares the signature with. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
}

/** For this long a token may be used to connect; a connection that it opened continues. */
const GOOD_FOR_SECONDS = 900;

/**
 * A token by which RDS, and RDS Proxy, log a database user in instead of a password: a presigned request of the action
 * rds-db:connect, without its scheme. Nothing is sent to make one.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
 */
export async function authToken(
  { host, port, user, region }: TokenSubject,
  signer: Pick<SignatureV4Init, 'credentials'> & SignatureV4CryptoInit,
  now: Date,
): Promise<string> {
  const authority = `${host}:${String(port)}`;
  const { query = {} } = await new SignatureV4({ service: 'rds-db', region, ...signer }).presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      port,
      path: '/',
      query: { Action: 'connect', DBUser: user },
      headers: { host: authority },
    },
    { expiresIn: GOOD_FOR_SECONDS, signingDate: now },
  );
  const parameters = Object.entries(query).map(([name, value]) => `${escape(name)}=${escape(String(value))}`);
  return `${authority}/?${parameters.sort().join('&')}`;
}

/** As a signature wants it: of RFC 3986's reserved characters, `encodeURIComponent` leaves some. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
