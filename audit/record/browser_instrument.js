// Runs in every frame before the page's own scripts. Tells the recorder, and nobody else, which
// interfaces that can tell browsers apart a script calls. @TOKEN@ is drawn for each recording.
(() => {
  "use strict";
  const token = "@TOKEN@";
  const say = console.debug.bind(console);
  const { apply, construct, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const originals = new WeakMap();
  const lookUp = WeakMap.prototype.get;
  const remember = WeakMap.prototype.set;
  const counts = Object.create(null);
  const fonts = Object.create(null);
  let fontCount = 0;

  const tell = (name, detail) => {
    const count = (counts[name] | 0) + 1;
    counts[name] = count;
    if (count === 1 || count === 10 || count === 100 || count === 1000) {
      say(token + "\x1fcall\x1f" + name + "\x1f" + count + "\x1f" + detail);
    }
  };
  const disguise = (proxy, original) => {
    apply(remember, originals, [proxy, original]);
    return proxy;
  };
  const watch = (original, name, look) =>
    disguise(
      new Proxy(original, {
        apply(target, self, given) {
          const seen = look === undefined ? "" : look(given, self);
          if (seen !== null) tell(name, seen);
          return apply(target, self, given);
        },
      }),
      original,
    );
  const method = (holder, key, name, look) => {
    const owner = holder && holder.prototype;
    const found = owner && getOwnPropertyDescriptor(owner, key);
    if (found && typeof found.value === "function" && found.configurable) {
      defineProperty(owner, key, { ...found, value: watch(found.value, name, look) });
    }
  };
  const getter = (holder, key, name) => {
    const owner = holder && holder.prototype;
    const found = owner && getOwnPropertyDescriptor(owner, key);
    if (found && found.get && found.configurable) {
      defineProperty(owner, key, { ...found, get: watch(found.get, name) });
    }
  };
  const setter = (holder, key, act) => {
    const owner = holder && holder.prototype;
    const found = owner && getOwnPropertyDescriptor(owner, key);
    if (found && found.set && found.configurable) {
      const set = new Proxy(found.set, {
        apply(target, self, given) {
          act(given[0]);
          return apply(target, self, given);
        },
      });
      defineProperty(owner, key, { ...found, set: disguise(set, found.set) });
    }
  };
  const maker = (key, name) => {
    const found = getOwnPropertyDescriptor(globalThis, key);
    if (found && typeof found.value === "function" && found.configurable) {
      const value = new Proxy(found.value, {
        construct(target, given, as) {
          tell(name, typeof given[0] === "string" ? given[0] : "");
          return construct(target, given, as);
        },
      });
      defineProperty(globalThis, key, { ...found, value: disguise(value, found.value) });
    }
  };

  const print = Function.prototype.toString;
  const printed = new Proxy(print, {
    apply(target, self, given) {
      const original = typeof self === "function" ? apply(lookUp, originals, [self]) : undefined;
      return apply(target, original === undefined ? self : original, given);
    },
  });
  Function.prototype.toString = disguise(printed, print);

  const G = globalThis;
  method(G.HTMLCanvasElement, "toDataURL", "canvas.toDataURL");
  method(G.HTMLCanvasElement, "toBlob", "canvas.toBlob");
  method(G.OffscreenCanvas, "convertToBlob", "canvas.convertToBlob");
  method(G.CanvasRenderingContext2D, "getImageData", "canvas.getImageData");
  method(G.OffscreenCanvasRenderingContext2D, "getImageData", "canvas.getImageData");
  method(G.CanvasRenderingContext2D, "measureText", "fonts.manyMeasured", (given, self) => {
    const font = self && self.font;
    if (typeof font === "string" && !fonts[font]) {
      fonts[font] = true;
      fontCount += 1;
    }
    return fontCount >= 20 ? String(fontCount) : null;
  });
  method(G.FontFaceSet, "check", "fonts.check");
  for (const kind of [G.WebGLRenderingContext, G.WebGL2RenderingContext]) {
    method(kind, "readPixels", "webgl.readPixels");
    method(kind, "getSupportedExtensions", "webgl.getSupportedExtensions");
    method(kind, "getShaderPrecisionFormat", "webgl.getShaderPrecisionFormat");
    // UNMASKED_VENDOR_WEBGL and UNMASKED_RENDERER_WEBGL of WEBGL_debug_renderer_info
    method(kind, "getParameter", "webgl.unmaskedRenderer", (given) =>
      given[0] === 0x9245 || given[0] === 0x9246 ? String(given[0]) : null,
    );
  }
  method(G.BaseAudioContext, "createOscillator", "audio.createOscillator");
  method(G.BaseAudioContext, "createDynamicsCompressor", "audio.createDynamicsCompressor");
  method(G.OfflineAudioContext, "startRendering", "audio.startRendering");
  getter(G.Navigator, "hardwareConcurrency", "device.hardwareConcurrency");
  getter(G.Navigator, "deviceMemory", "device.deviceMemory");
  getter(G.Navigator, "plugins", "device.plugins");
  getter(G.Navigator, "mimeTypes", "device.mimeTypes");
  method(G.Navigator, "getBattery", "device.getBattery");
  method(G.Navigator, "getGamepads", "device.getGamepads");
  method(G.MediaDevices, "enumerateDevices", "device.enumerateDevices");
  method(G.NavigatorUAData, "getHighEntropyValues", "device.getHighEntropyValues");
  method(G.Keyboard, "getLayoutMap", "device.getLayoutMap");
  method(G.SpeechSynthesis, "getVoices", "device.getVoices");
  method(G.RTCPeerConnection, "createOffer", "device.createOffer");
  maker("Worker", "worker.dedicated");
  maker("SharedWorker", "worker.shared");

  const cookieSet = (value) => {
    if (typeof value === "string") say(token + "\x1fcookie\x1f" + value);
  };
  setter(G.Document, "cookie", cookieSet);
  method(G.CookieStore, "set", "cookie.cookieStore", (given) => {
    const first = given[0];
    const name = typeof first === "string" ? first : first && first.name;
    say(token + "\x1fcookie\x1f" + name + "=");
    return "";
  });
  say(token + "\x1fready");
})();
