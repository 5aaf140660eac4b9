import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import type { z } from 'zod';

import type { Principal } from '../../store/repositories/access-repository.js';
import { preferencesOf, savePreferences } from '../../store/repositories/preference-repository.js';
import { Caller, SignedIn } from '../auth/access.decorator.js';
import { Describe } from '../openapi/describe.decorator.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { preferenceChangeSchema, preferencesSchema } from '../schemas/preference.schema.js';

/** What the caller chose for the pages. It is theirs alone and is not audited. */
@Controller('/api/v1/me/preferences')
export class PreferenceController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @SignedIn()
  @Describe({ summary: 'Show my preferences', answer: preferencesSchema })
  async getPreferences(@Caller() caller: Principal): Promise<object> {
    const rows = await preferencesOf(this.ports.database, caller.userId);
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  @Put()
  @SignedIn()
  @Describe({
    summary: 'Change some of my preferences; null removes one, the others stay',
    answer: preferencesSchema,
  })
  async putPreferences(
    @Caller() caller: Principal,
    @Body({ schema: preferenceChangeSchema }) body: z.output<typeof preferenceChangeSchema>,
  ): Promise<object> {
    const { database } = this.ports;
    await database.transaction((tx) => savePreferences(tx, caller.userId, body));
    return await this.getPreferences(caller);
  }
}
