// The page asks the server what it serves and can do, and shows that; nothing comes from elsewhere.
'use strict';

const byId = (id) => document.getElementById(id);

// element('p', {class: 'x'}, 'text', child …); text is never taken for HTML.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const bytes = (n) => n >= 1 << 20 ? (n / (1 << 20)).toFixed(1) + ' MiB' : (n / 1024).toFixed(0) + ' KiB';
const ms = (x) => x > 0 ? (x < 10 ? x.toPrecision(3) : x.toFixed(1)) + ' ms' : '';

// What a person types for each task, and the request made of it.
const tasks = {
  embedding: {
    what: 'How near each text is to the first',
    fields: [['first', 'First text', 'it is dark in here'],
             ['texts', 'Other texts, one a line', 'turn on the light\nbread rises slowly']],
    path: '/similarity',
    body: (v) => ({inputs: {source_sentence: v.first, sentences: lines(v.texts)}}),
    show: (answer, v) => bars(lines(v.texts).map((text, i) => [text, answer[i]])),
  },
  sequence_classification: {
    what: 'Labels of a text, or of a pair',
    fields: [['text', 'Text', 'a fine day'], ['pair', 'Second text, for models of pairs', '']],
    path: '/v1/hone/classify',
    body: (v) => v.pair ? {text: v.text, pair: v.pair, top: 8} : {text: v.text, top: 8},
    show: (answer) => bars(answer.results[0].labels.map((l) => [l.label, l.score])),
  },
  joint: {
    what: 'The intent of a command, and its slots',
    fields: [['text', 'Text', 'make it two degrees warmer in the kids room']],
    path: '/v1/hone/tag',
    body: (v) => ({text: v.text}),
    show: (answer) => element('div', {},
      bars([[answer.results[0].intent.label, answer.results[0].intent.score]]),
      marked(answer.results[0].text, answer.results[0].slots)),
  },
  token_classification: {
    what: 'Entities of a text',
    fields: [['text', 'Text', 'Mara lives in Lisbon']],
    path: '/v1/hone/tag',
    body: (v) => ({text: v.text}),
    show: (answer) => marked(answer.results[0].text, answer.results[0].entities),
  },
  question_answering: {
    what: 'An answer from a text',
    fields: [['question', 'Question', 'Who baked the bread?'],
             ['context', 'Text', 'Mara baked the bread on Tuesday.']],
    path: '/v1/hone/answer',
    body: (v) => ({question: v.question, context: v.context, top: 3}),
    show: (answer) => bars(answer.answers.map((a) => [a.answer || '(no answer)', a.score])),
  },
  fill_mask: {
    what: 'What may stand at each [MASK]',
    fields: [['text', 'Text', 'the light is [MASK]']],
    path: '/v1/hone/fill',
    body: (v) => ({text: v.text, top: 5}),
    show: (answer) => element('div', {}, ...answer.results[0].masks.map(
      (mask) => bars(mask.map((f) => [f.token, f.score])))),
  },
};

const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');

function bars(pairs) {
  const scale = element('div', {class: 'scale'});
  for (const [name, value] of pairs) {
    const width = Math.max(0, Math.min(1, value)) * 100;
    scale.append(element('span', {}, name), element('span', {'aria-hidden': 'true'},
      element('div', {class: 'bar'})), element('span', {}, value.toFixed(4)));
    scale.lastChild.previousSibling.firstChild.style.width = width + '%';
  }
  return scale;
}

// The text with its spans marked. Spans count characters, not UTF-16 units.
function marked(text, spans) {
  const characters = Array.from(text), out = element('p');
  let at = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start < at) continue;
    out.append(characters.slice(at, span.start).join(''));
    out.append(element('mark', {}, characters.slice(span.start, span.end).join(''),
      element('small', {}, span.label + ' ' + span.score.toFixed(2))));
    at = span.end;
  }
  out.append(characters.slice(at).join(''));
  return out;
}

let models = [];

function headers() {
  const all = {'Content-Type': 'application/json', 'X-Hone-Model': byId('model').value};
  if (byId('deadline').value) all['X-Hone-Deadline-Ms'] = byId('deadline').value;
  if (byId('priority').value) all['X-Hone-Priority'] = byId('priority').value;
  if (byId('key').value) all.Authorization = 'Bearer ' + byId('key').value;
  return all;
}

function current() {
  const model = models.find((m) => m.name === byId('model').value);
  return model && tasks[model.task];
}

function values() {
  const all = {};
  for (const field of byId('fields').querySelectorAll('textarea')) all[field.name] = field.value;
  return all;
}

// What would be typed in a shell; quotes within are closed, escaped, and opened again.
function showCurl() {
  const task = current();
  if (!task) return;
  const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
  const parts = ['curl ' + quote(location.origin + task.path)];
  for (const [name, value] of Object.entries(headers())) {
    parts.push('-H ' + quote(name + ': ' + (name === 'Authorization' ? 'Bearer KEY' : value)));
  }
  parts.push('-d ' + quote(JSON.stringify(task.body(values()))));
  byId('curl').textContent = parts.join(' \\\n  ');
}

function showFields() {
  const task = current();
  byId('fields').replaceChildren();
  byId('answer').replaceChildren();
  if (!task) return;
  byId('fields').append(element('p', {}, task.what));
  for (const [name, label, example] of task.fields) {
    const area = element('textarea', {name, rows: '2'});
    area.value = example;
    byId('fields').append(element('label', {}, label, area));
  }
  showCurl();
}

async function ask(event) {
  event.preventDefault();
  const task = current(), typed = values(), button = byId('form').querySelector('button');
  if (!task) return;
  button.disabled = true;
  const start = performance.now();
  try {
    const response = await fetch('.' + task.path,
      {method: 'POST', headers: headers(), body: JSON.stringify(task.body(typed))});
    const answer = await response.json();
    const whole = performance.now() - start;
    const told = (name) => response.headers.get('X-Hone-' + name);
    byId('timing').textContent = response.ok
      ? `rung ${told('Rung')}: computed ${told('Compute-Ms')} ms, queued ${told('Queue-Ms')} ms, seen here after ${whole.toFixed(1)} ms`
      : `refused with status ${response.status}`;
    const box = element('div', {class: response.ok ? 'answer' : 'answer wrong'});
    if (response.ok) {
      box.append(task.show(answer, typed));
    } else {
      const error = answer.error;
      box.append(element('strong', {}, error.message || error));
    }
    box.append(element('details', {}, element('summary', {}, 'JSON'),
      element('pre', {tabindex: '0'}, JSON.stringify(answer, null, 2))));
    byId('answer').replaceChildren(box);
  } catch (problem) {
    byId('timing').textContent = 'The server did not answer: ' + problem.message;
  }
  button.disabled = false;
  showModels();
}

async function showModels() {
  const response = await fetch('./v1/hone/models', keyHeaders());
  if (!response.ok) {
    byId('summary').textContent = response.status === 401
      ? 'This server wants an API key; type it below.' : 'The server answered ' + response.status + '.';
    return;
  }
  const status = await response.json();
  byId('summary').textContent = `${status.models.length} model${status.models.length === 1 ? '' : 's'}, ` +
    `policy ${status.policy}, ${bytes(status.resident_bytes)} of weights in memory`;
  const table = element('table', {}, element('thead', {}, element('tr', {},
    ...['Model', 'Task', 'Rung', 'State', 'Format'].map((t) => element('th', {scope: 'col'}, t)),
    ...['Metric', 'p50', 'p95', 'Memory', 'Ready after', 'Texts served'].map(
      (t) => element('th', {scope: 'col', class: 'number'}, t)))));
  const body = element('tbody');
  for (const model of status.models) {
    model.rungs.forEach((rung, i) => body.append(element('tr', {},
      element('td', {}, i === 0 ? model.name : ''), element('td', {}, i === 0 ? (model.task ?? '').replaceAll('_', ' ') : ''),
      element('td', {}, rung.name),
      element('td', {class: rung.state, title: rung.error || ''}, rung.state.replaceAll('_', ' ')),
      element('td', {}, rung.format),
      ...[rung.metric ? `${rung.metric} ${rung.accuracy.toFixed(4)}` : '', ms(rung.p50_ms), ms(rung.p95_ms),
          rung.bytes ? bytes(rung.bytes) : '',
          ms(rung.load.map_ms + rung.load.pack_ms + rung.load.warm_ms), String(rung.served)].map(
        (t) => element('td', {class: 'number'}, t)))));
    if (model.error) body.append(element('tr', {}, element('td', {colspan: '11', class: 'failed'}, model.name + ': ' + model.error)));
  }
  table.append(body);
  byId('models').replaceChildren(table);
  const chosen = byId('model').value, first = models.length === 0;
  models = status.models;
  if (!first) return;
  byId('model').replaceChildren(...models.map((m) => element('option', {}, m.name)));
  if (chosen) byId('model').value = chosen;
  showFields();
}

// The key alone, for what is asked without a form.
function keyHeaders() {
  const key = byId('key').value;
  return key ? {headers: {Authorization: 'Bearer ' + key}} : {};
}

async function showApi() {
  const response = await fetch('./openapi.json', keyHeaders());
  if (!response.ok) return;
  const document_ = await response.json();
  byId('api').replaceChildren();
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([method.toUpperCase(), path, operation]);
    }
  }
  for (const [tag, routes] of groups) {
    byId('api').append(element('h3', {}, tag));
    for (const [method, path, operation] of routes) {
      const route = element('details', {class: 'route'}, element('summary', {},
        element('span', {class: 'method'}, method), element('code', {}, path), ' ', operation.summary));
      const schema = operation.requestBody && operation.requestBody.content['application/json'].schema;
      if (schema && schema.example) {
        route.append(element('p', {}, 'For example'), element('pre', {tabindex: '0'}, JSON.stringify(schema.example, null, 2)));
      }
      if (schema) route.append(element('p', {}, 'Members'), members(schema));
      byId('api').append(route);
    }
  }
}

function members(schema) {
  const body = element('tbody');
  for (const [name, member] of Object.entries(schema.properties || {})) {
    const kind = member.enum ? member.enum.filter((e) => e !== null).join(', ')
      : [member.type || (member.anyOf || []).map((o) => o.type).join(' or ')].flat().filter((t) => t !== 'null').join(' or ');
    const limits = ['minimum', 'maximum'].filter((l) => l in member).map((l) => `${l} ${member[l]}`).join(', ');
    body.append(element('tr', {}, element('td', {}, element('code', {}, name)), element('td', {}, kind),
      element('td', {}, (schema.required || []).includes(name) ? 'required' : ''),
      element('td', {}, [limits, member.description].filter(Boolean).join('; '))));
  }
  return element('div', {class: 'scroll'}, element('table', {}, body));
}

byId('form').addEventListener('submit', ask);
byId('form').addEventListener('input', showCurl);
byId('model').addEventListener('change', showFields);
byId('key').addEventListener('change', () => { showModels(); showApi(); });
showModels().catch((problem) => { byId('summary').textContent = 'The server did not answer: ' + problem.message; });
showApi();
