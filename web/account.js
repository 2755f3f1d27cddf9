// What the links of invitations and forgotten passwords lead to, and where such a link is asked for. The token stands behind the #, so that it reaches no server but in the requests made here.

const form = document.getElementById("form");
const about = document.getElementById("about");
const problem = document.getElementById("problem");
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

/** The answer's JSON, or an error with what the problem says. */
async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const json = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(told(json) ?? `The server answered ${answer.status}.`);
  }
  return json;
}

/** What a problem says to whoever is no programmer: without the place in the body, and without the name of a setting. */
function told(json) {
  const [error] = json.errors ?? [];
  return (error ? error.detail.replace(error.field, "The " + error.field.replace("/", "")) : json.detail ?? json.title)?.replace(/ \([A-Z]+(_[A-Z]+)+\)/g, "");
}

const pages = {
  "accept-invitation": {
    async open() {
      const invitation = await post("/v1/auth/invitation", { token });
      return `${invitation.email} is invited to ${invitation.organizationName} as ${invitation.role}. Choose a password; whoever has an account already gives that one's.`;
    },
    submit: (password) => post("/v1/auth/accept-invitation", { token, password }),
    done: "You are in. This page has no more to do: wherever your organization works with AgentPlatform, sign in with your e-mail address and this password.",
  },
  "reset-password": {
    open: async () => "Choose a new password. All sessions of your account end with it.",
    submit: (password) => post("/v1/auth/reset-password", { token, password }),
    done: "The new password holds. This page has no more to do: sign in with it wherever you did before.",
  },
  "forgot-password": {
    needsNoToken: true,
    open: async () => "Your e-mail address, please: if an account has it, and this installation sends e-mail, a link to set a new password follows.",
    submit: (email) => post("/v1/auth/forgot-password", { email }),
    done: "If an account has that address, an e-mail with a link is on its way. Where none comes, whoever runs this installation can make such a link.",
  },
};

const page = pages[form.dataset.page];

async function open() {
  if (token === "" && !page.needsNoToken) {
    about.textContent = "This link is not whole: copy all of it from the message.";
    return;
  }
  try {
    about.textContent = await page.open();
    form.hidden = false;
    form.given.focus();
  } catch (failure) {
    about.textContent = failure.message;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  problem.textContent = "";
  try {
    await page.submit(form.given.value);
    form.hidden = true;
    about.textContent = page.done;
    // The token is used up; nobody should find it in the address.
    history.replaceState(null, "", location.pathname);
  } catch (failure) {
    problem.textContent = failure.message;
    form.given.focus();
  } finally {
    button.disabled = false;
  }
});

open();
