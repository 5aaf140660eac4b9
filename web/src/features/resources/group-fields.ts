import type { components } from '../../api/schema.gen.ts';
import type { ResourceGroup } from './resources-api.ts';

/** The fields of the form, as they are typed. */
export interface GroupForm {
  readonly name: string;
  readonly description: string;
  readonly slots: number | string;
  readonly backfillShare: number | string;
  /** Empty: the group schedules nothing. */
  readonly schedulingSlots: number | string;
  /** Each `sync=8`. */
  readonly quotas: readonly string[];
}

export const NEW_GROUP: GroupForm = {
  name: '',
  description: '',
  slots: 8,
  backfillShare: 50,
  schedulingSlots: '',
  quotas: [],
};

const QUOTA = /^([^=\s]+)\s*=\s*(\d+)$/;

export function formOf(group: ResourceGroup): GroupForm {
  const { name, description, slots, backfillShare, schedulingSlots, quotas } = group;
  return {
    name,
    description,
    slots,
    backfillShare,
    schedulingSlots: schedulingSlots ?? '',
    quotas: Object.entries(quotas).map(([type, count]) => `${type}=${count}`),
  };
}

/** The first quota that cannot be read. */
export function wrongQuota({ quotas }: GroupForm): string | undefined {
  return quotas.find((quota) => !QUOTA.test(quota));
}

/** What is sent; of quotas that stand in `before` and not in the form that they are gone. */
export function changeOf(
  form: GroupForm,
  before: ResourceGroup['quotas'],
): components['schemas']['ResourceGroupChange'] {
  const quotas = form.quotas.flatMap((quota) => {
    const [, type, slots] = QUOTA.exec(quota) ?? [];
    return type === undefined ? [] : [[type, Number(slots)] as const];
  });
  return {
    ...fieldsOf(form),
    quotas: {
      ...Object.fromEntries(Object.keys(before).map((type) => [type, null])),
      ...Object.fromEntries(quotas),
    },
  };
}

export function fieldsOf({ description, slots, backfillShare, schedulingSlots }: GroupForm): {
  description: string;
  slots: number;
  backfillShare: number;
  schedulingSlots?: number;
} {
  return {
    description: description.trim(),
    slots: Number(slots),
    backfillShare: Number(backfillShare),
    ...(schedulingSlots === '' ? {} : { schedulingSlots: Number(schedulingSlots) }),
  };
}
