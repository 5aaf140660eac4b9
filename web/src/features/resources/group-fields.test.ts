import { changeOf, formOf, NEW_GROUP, wrongQuota } from './group-fields.ts';

describe('the form of a resource group', () => {
  it('sends null for a quota that was taken out, and leaves scheduling slots alone where there are none', () => {
    const form = { ...NEW_GROUP, name: 'nightly', quotas: ['shell = 2'] };
    expect(changeOf(form, { sync: 8 })).toEqual({
      description: '',
      slots: 8,
      backfillShare: 50,
      quotas: { sync: null, shell: 2 },
    });
    expect(changeOf({ ...form, schedulingSlots: 0 }, {})).toMatchObject({ schedulingSlots: 0 });
  });

  it('says which quota cannot be read', () => {
    expect(wrongQuota({ ...NEW_GROUP, quotas: ['sync=8', 'shell'] })).toBe('shell');
    expect(wrongQuota({ ...NEW_GROUP, quotas: ['sync=-8'] })).toBe('sync=-8');
    expect(wrongQuota({ ...NEW_GROUP, quotas: ['sync=8'] })).toBeUndefined();
  });

  it('shows what is stored', () => {
    const group = {
      id: 'rg_1',
      name: 'g',
      description: 'd',
      slots: 4,
      slotsUsed: 0,
      backfillShare: 30,
      draining: false,
      quotas: { sync: 2 },
      waiting: 0,
      oldestWaitSeconds: null,
      schedulingSlots: null,
      schedulingSlotsUsed: 0,
      schedulingWaiting: 0,
      region: '',
      networkType: '',
      cidr: '',
      addresses: [],
      workers: [],
    };
    expect(formOf(group)).toEqual({
      name: 'g',
      description: 'd',
      slots: 4,
      backfillShare: 30,
      schedulingSlots: '',
      quotas: ['sync=2'],
    });
  });
});
