/* What a person wrote into the fields of a form, beside what was stored when it was drawn. */

const KINDS = 'input:not([type=hidden], [type=password], [type=file], [type=submit], [type=search]), textarea, select';

/** The fields of a form that people fill in. */
export const fields = (form) => [...form.querySelectorAll(KINDS)].filter((field) => field.name && field.form === form);

/** What a field held when it was drawn. */
export function stored(field) {
  if (field.matches('[type=checkbox], [type=radio]')) return String(field.defaultChecked);
  if (!field.matches('select')) return field.defaultValue;
  const chosen = [...field.options].filter((option) => option.defaultSelected);
  return (chosen.length || field.multiple ? chosen : [...field.options].slice(0, 1)).map((option) => option.value).join('\n');
}

/** What a field holds now. */
export function held(field) {
  if (field.matches('[type=checkbox], [type=radio]')) return String(field.checked);
  return field.matches('select') ? [...field.selectedOptions].map((option) => option.value).join('\n') : field.value;
}

/** Put a value into a field; gives whether it could be taken. */
export function put(field, value) {
  if (field.matches('[type=checkbox], [type=radio]')) field.checked = value === 'true';
  else if (field.matches('select')) for (const option of field.options) option.selected = value.split('\n').includes(option.value);
  else field.value = value;
  return held(field) === value;
}

/** The fields that hold something else than what was drawn. */
export const written = (form) => fields(form).filter((field) => held(field) !== stored(field));

/** A name that tells the fields of one form apart, also boxes that share one. */
export const nameOf = (field) => (field.matches('[type=checkbox], [type=radio]') ? `${field.name}=${field.value}` : field.name);
