/* Passkeys: what the browser makes or signs goes into the form around the button, and the form is sent. */
import { on } from './dom.js';

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const words = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
const known = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));

async function create(asked) {
  const publicKey = {
    ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: known(asked.excludeCredentials),
  };
  const { response, ...made } = parts(await navigator.credentials.create({ publicKey }));
  return {
    ...made,
    response: {
      clientDataJSON: words(response.clientDataJSON), attestationObject: words(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
}

async function get(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
  const { response, ...used } = parts(await navigator.credentials.get({ publicKey }));
  return {
    ...used,
    response: {
      clientDataJSON: words(response.clientDataJSON), authenticatorData: words(response.authenticatorData),
      signature: words(response.signature), userHandle: response.userHandle ? words(response.userHandle) : null,
    },
  };
}

const parts = ({ id, type, response }) => ({ id, rawId: id, type, response });

/* What went wrong, as the button words it; a person who closed the question of the browser is told the same as one
   whose device did not answer, because browsers do not tell. */
const SAID = { InvalidStateError: 'known', SecurityError: 'elsewhere', NotSupportedError: 'unknown' };

on('click', '[data-passkey]', async (_event, button) => {
  const { form, dataset } = button;
  const said = form.querySelector('[data-passkey-said]');
  said.hidden = true;
  if (button.getAttribute('aria-busy') === 'true') return;
  button.classList.add('is-busy');
  button.setAttribute('aria-busy', 'true');
  try {
    if (!window.PublicKeyCredential) throw new DOMException('', 'NotSupportedError');
    const answer = await (dataset.passkey === 'create' ? create : get)(JSON.parse(dataset.question));
    form.elements.answer.value = JSON.stringify(answer);
    form.requestSubmit();
    form.elements.answer.value = ''; // it has been sent; a code that is typed next goes alone
  } catch ({ name }) {
    said.textContent = dataset[SAID[name] ?? 'refused'];
    said.hidden = false;
  } finally {
    button.classList.remove('is-busy');
    button.removeAttribute('aria-busy');
  }
});
