// npm run alerts: writes the PrometheusRule of deploy/kubernetes from deploy/prometheus-alerts.yaml; with --check, tells
// whether it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const ALERTS = new URL('../deploy/prometheus-alerts.yaml', import.meta.url);
const RULE = new URL('../deploy/kubernetes/components/monitoring/prometheus-rule.yaml', import.meta.url);
const HEADER = `# Written by \`npm run alerts\` from deploy/prometheus-alerts.yaml. Do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cometchat-gateway
  labels:
    app.kubernetes.io/name: cometchat-gateway
spec:
`;

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
const alerts = readFileSync(ALERTS, 'utf8');
const groups = alerts.slice(alerts.search(/^groups:$/m));
const text = HEADER + groups.replace(/^(?=.)/gm, '  ');

if (!check) {
  writeFileSync(RULE, text);
} else if (readFileSync(RULE, 'utf8') !== text) {
  process.stderr.write(
    'prometheus-rule.yaml is not what prometheus-alerts.yaml says; run `npm run alerts`\n',
  );
  process.exitCode = 1;
}
