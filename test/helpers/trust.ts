import tls from 'node:tls';
import type { Test } from 'tap';
import type { Certificate } from '../../sandbox/certificates.ts';

/** Lets this process trust the authority of a certificate for the length of a test. @returns ends that before */
export function trust(t: Pick<Test, 'teardown'>, { ca }: Pick<Certificate, 'ca'>): () => void {
  const before = tls.getCACertificates('default');
  const end = () => tls.setDefaultCACertificates(before);
  t.teardown(end);
  tls.setDefaultCACertificates([...before, ca]);
  return end;
}
