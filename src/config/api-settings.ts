import { z } from 'zod';

import { setting, wholeNumber } from './setting.js';

export const DEFAULT_PORT = 7070;

export const apiSettings = {
  host: setting(
    'MILLRACE_HOST',
    z.string().min(1).default('127.0.0.1'),
    'Address the API and the console listen on. `0.0.0.0` for all; put TLS in front of it.',
    '127.0.0.1',
  ),
  port: setting(
    'MILLRACE_PORT',
    wholeNumber(0, 65_535, DEFAULT_PORT),
    'Port of the API and the console. If it is not set, `npm start` takes the next free one.',
    String(DEFAULT_PORT),
  ),
};
