import type { AlertRule } from './alerts-api.ts';
import { draftOf, fieldsOf, NEW_RULE, newWebhookOf, webhookChangeOf } from './rule-draft.ts';

const RULE: AlertRule = {
  id: 'rule_1',
  name: 'nightly',
  enabled: false,
  condition: { kind: 'unfinished', by: '30:00' },
  target: { kind: 'nodes', nodes: [{ workflow: 'orders', node: 'load' }] },
  webhook: { origin: 'https://hooks.example.com' },
  emails: ['ann@example.com'],
  owner: 'Ann',
  mute: { from: '22:00', to: '07:00' },
  repeatMinutes: 30,
  maxCount: 5,
  openAlerts: 0,
  lastDelivery: null,
  revision: 1,
  createdAt: '2026-11-21T00:00:00Z',
  updatedAt: '2026-11-21T00:00:00Z',
};

it('sends a rule that nobody has edited as it was', () => {
  const { name, enabled, condition, target, emails, owner, mute, repeatMinutes, maxCount } = RULE;
  expect(fieldsOf(draftOf(RULE))).toEqual({
    name,
    enabled,
    condition,
    target,
    emails,
    owner,
    mute,
    repeatMinutes,
    maxCount,
  });
});

it('leaves the stored webhook alone unless something is typed, and removes it when it is switched off', () => {
  const draft = draftOf(RULE);
  expect(webhookChangeOf(draft)).toEqual({});
  expect(webhookChangeOf({ ...draft, secret: 'a new secret' })).toEqual({ secret: 'a new secret' });
  expect(webhookChangeOf({ ...draft, hasWebhook: false })).toBeNull();
});

it('sends only what belongs to the chosen condition and target', () => {
  expect(fieldsOf({ ...NEW_RULE, condition: 'no_worker', target: 'resource_group' })).toMatchObject(
    {
      condition: { kind: 'no_worker', minutes: 10 },
      target: { kind: 'resource_group', resourceGroup: 'default' },
      mute: null,
      repeatMinutes: null,
    },
  );
  expect(newWebhookOf(NEW_RULE)).toBeNull();
  expect(newWebhookOf({ ...NEW_RULE, hasWebhook: true, url: ' https://h.example.com ' })).toEqual({
    url: 'https://h.example.com',
    secret: null,
  });
});
