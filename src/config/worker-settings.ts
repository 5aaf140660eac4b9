import { hostname } from 'node:os';

import { z } from 'zod';

import { LABEL, MAX_LABELS } from '../domain/resource/labels.js';
import { list, secretSetting, setting, wholeNumber } from './setting.js';

export const workerSettings = {
  name: setting(
    'MILLRACE_WORKER_NAME',
    z.string().min(1).max(200).default(hostname()),
    'Name of this worker on the timeline and in the logs.',
    'the host name',
  ),
  linkUrl: setting(
    'MILLRACE_LINK_URL',
    z.url({ protocol: /^https?$/ }).optional(),
    'Address of the API, for the role `worker`: workers never see the metadata database.',
  ),
  linkToken: secretSetting(
    'MILLRACE_LINK_TOKEN',
    'Token of the resource group this worker serves, for the role `worker`: `millrace worker-tokens add` makes it.',
  ),
  resourceGroup: setting(
    'MILLRACE_RESOURCE_GROUP',
    z.string().min(1).max(200).default('default'),
    'Resource group this worker takes instances of, with the role `all`; with the role `worker` it is the one of its token.',
    'default',
  ),
  labels: setting(
    'MILLRACE_WORKER_LABELS',
    list().refine(
      (labels) => labels.length <= MAX_LABELS && labels.every((label) => LABEL.test(label)),
      `at most ${MAX_LABELS} labels of letters, digits and _ . : / -, each at most 63 characters`,
    ),
    'What this worker has that nodes may ask for, with commas between: `gpu,zone:a`.',
    'none',
  ),
  slots: setting(
    'MILLRACE_WORKER_SLOTS',
    wholeNumber(1, 10_000, 8),
    'Instances this worker runs at the same time.',
    '8',
  ),
  home: setting(
    'MILLRACE_WORKER_HOME',
    z.string().min(1).optional(),
    'Folder for the working files of attempts.',
    'a folder in the data folder',
  ),
};
