import { BlockList, isIPv6 } from 'node:net';
import t from 'tap';
import { testWith } from '../helpers/installed.ts';
import { BASE, build, find, type Manifest, PRODUCTION } from '../helpers/manifests.ts';

const families = ['ipv4', 'ipv6'] as const;
const familyOf = (address: string) => families[isIPv6(address) ? 1 : 0];

function isIn(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', bits] = range.split('/');
    list.addSubnet(net, Number(bits), familyOf(net));
  }
  return list.check(address, familyOf(address));
}

/** Whether one of these rules lets the gateway call this address: rules for Pods do not. */
const isAllowed = (rules: Manifest[], address: string): boolean =>
  rules
    .flatMap(({ to }) => to)
    .some(({ ipBlock }) => ipBlock && isIn(address, [ipBlock.cidr]) && !isIn(address, ipBlock.except ?? []));

for (const folder of [BASE, PRODUCTION]) {
  const where = folder === BASE ? 'base' : 'overlay';
  const policy = async (name: string) => find(await build(folder), 'NetworkPolicy', name).spec;

  testWith(
    'kubectl',
    `${where}: everybody reaches the HTTP port, the monitoring alone the metrics`,
    async (t) => {
      const objects = await build(folder);
      t.match(find(objects, 'Service').spec.ports, [{ targetPort: 'http' }]);
      t.equal(find(objects, 'Service').spec.ports.length, 1);
      const incoming = objects.filter(({ spec }) => spec.policyTypes?.includes('Ingress'));
      t.equal(incoming.length, 2);
      t.strictSame((await policy('cometchat-gateway')).ingress, [{ ports: [{ port: 'http' }] }]);
      const [guarded, ...others] = (await policy('cometchat-gateway-metrics')).ingress;
      t.strictSame(others, []);
      t.strictSame(guarded.ports, [{ port: 'admin' }]);
      t.equal(guarded.from.length, 1);
      t.ok(guarded.from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name']);
    },
  );

  testWith(
    'kubectl',
    `${where}: the gateway calls DNS, Redis and HTTPS, and each of them somewhere only`,
    async (t) => {
      const outgoing = (await build(folder)).filter(({ spec }) => spec.policyTypes?.includes('Egress'));
      const rules = outgoing.flatMap(({ spec }) => spec.egress);
      t.strictSame(
        rules.map(({ ports }) => ports),
        [
          [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
          [{ port: 443 }],
          [{ port: 6379 }],
        ],
      );
      for (const { to } of rules) t.ok(to.length > 0);
    },
  );

  testWith(
    'kubectl',
    `${where}: no rule lets it call a cloud’s metadata, itself or Kubernetes`,
    async (t) => {
      const outgoing = (await build(folder)).filter(({ spec }) => spec.policyTypes?.includes('Egress'));
      const rules = outgoing.flatMap(({ spec }) => spec.egress);
      const forbidden = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '127.0.0.1', '10.96.0.1'];
      for (const address of [
        ...forbidden,
        '172.20.0.1',
        '192.168.0.1',
        'fd00:ec2::254',
        'fd20:ce::254',
        'fe80::1',
        '::1',
      ]) {
        t.notOk(isAllowed(rules, address), address);
      }
      for (const address of ['203.0.113.7', '2001:db8::7']) t.ok(isAllowed(rules, address), address);
    },
  );
}

t.test('an address is in its own network alone', async (t) => {
  t.ok(isIn('10.1.2.3', ['10.0.0.0/8']));
  t.notOk(isIn('11.1.2.3', ['10.0.0.0/8', 'fc00::/7']));
});
