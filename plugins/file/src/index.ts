import { definePlugin } from '@millrace/sdk';
import { fileReader } from './file-reader.js';
import { fileSource } from './file-source.js';
import { fileWriter } from './file-writer.js';

export default definePlugin({
  name: '@millrace/plugin-file',
  version: '0.1.0',
  sdk: '^0.1.0',
  title: 'Files',
  dataSources: [fileSource],
  readers: [fileReader],
  writers: [fileWriter],
});
