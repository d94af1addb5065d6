const DAY_MS = 86_400_000;

/** What is wrong with the certificate, if anything. */
export type Tls = 'good' | 'expired' | 'wrong-host';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The certificate of the authority that signed it. */
  readonly ca: string;
}

/** @returns a new certificate for 127.0.0.1 and localhost, or one that a client must not take for it */
export async function makeCertificate(tls: Tls): Promise<Certificate> {
  // A development dependency, so that it is not there in the image for docker-compose.yml.
  const { generate } = await import('selfsigned');
  const common = { keyType: 'ec', algorithm: 'sha256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'Sandbox Authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const now = Date.now();
  const server = await generate([{ name: 'commonName', value: 'Sandbox' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    ...(tls === 'expired' && {
      notBeforeDate: new Date(now - 2 * DAY_MS),
      notAfterDate: new Date(now - DAY_MS),
    }),
    extensions: [
      {
        name: 'subjectAltName',
        altNames:
          tls === 'wrong-host'
            ? [{ type: 2, value: 'elsewhere.example' }]
            : [
                { type: 2, value: 'localhost' },
                { type: 7, ip: '127.0.0.1' },
              ],
      },
    ],
  });
  return { key: server.private, cert: server.cert, ca: authority.cert };
}
