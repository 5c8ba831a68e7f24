import faulthandler,hashlib as Q,io,lzma,numpy as R,os as S,signal,subprocess,sys as p,time as c,torch as e,torch.distributed as a,torch.nn.functional as d,traceback
from functools import partial as t
from pathlib import Path as s
from sentencepiece import SentencePieceProcessor
from torch import nn as T
from typing import NamedTuple as o
def ep():
 t=S.environ.get;o=int(t('RANK',0));n=int(t('WORLD_SIZE',1));s=int(t('LOCAL_RANK',0))
 if n<1 or 8%n:raise ValueError(f"WORLD_SIZE is {n}, wanted a divisor of 8 micro-batches")
 return o,n,s
def eg():
 global h,i,r;o,n,s=ep();t='gloo';c=e.device('cpu')
 if e.cuda.is_available():t='nccl';c=e.device('cuda',s);e.cuda.set_device(c)
 if n>1:a.init_process_group(t)
 i=o;r=n;h=c
def ew():
 if r>1:a.destroy_process_group()
def ey(i):
 if r>1:a.all_reduce(i)
 return i
def y(value):
 f=[value]*r
 if r>1:a.all_gather_object(f,value)
 return f
def b(value):
 if r==1:return value
 t=e.tensor(value,dtype=e.float64,device=h);a.all_reduce(t,a.ReduceOp.MAX);return t.item()
def eb(i):
 if i.grad is None:i.grad=e.zeros_like(i)
 return i.grad
def ev(s):
 t=[eb(i)for i in s]
 if r>1:
  o=e.cat([c.flatten()for c in t]);a.all_reduce(o);n=(o/r).split([c.numel()for c in t])
  for(c,l)in zip(t,n,strict=True):c.copy_(l.view_as(c))
def ek(t,c):
 if r>1:return a.reduce_scatter(t,list(c.chunk(r)),async_op=True)
 t.copy_(c)
def ex(c,t):
 if r>1:return a.all_gather(list(c.chunk(r)),t,async_op=True)
 c.copy_(t)
def ej(i):
 if i is not None:i.wait()
def eq(n,t):
 if not n.n:return t,
 a=range(n.shape[0]//len(n.n));return tuple(o.format(i)for o in n.n for i in a)
def v(r):
 h=[]
 for n in r:
  if n.n:
   a=range(n.shape[0]//len(n.n))
   for(o,c)in zip(n.n,n.init,strict=True):h+=[(o.format(i),c,n)for i in a]
  else:h+=[(t,n.init,n)for t in n.r()]
 return h
def ez(t,o):
 if t.startswith('blocks.')and t.endswith('.weight'):i,e=t[len('blocks.'):-len('.weight')].split('.',1);return e,int(i)
 return o,0
def eA(s,r,i):
 for n in r:
  l=i if n.dtype=='activation'else e.float32
  for t in n.r():
   *c,p=t.split('.');o=s
   for a in c:
    if a not in o._modules:o.add_module(a,T.ModuleList())
    o=o._modules[a]
   o.register_parameter(p,T.Parameter(e.empty(n.shape,dtype=l,device=h)))
def eB(t):a=Q.sha256(f"{et}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(a[:7],'little'))
def eC(r,l):
 o=k(f.state_dict(),r)
 for(t,c,m)in v(r):i=e.empty(o[t].shape);c(i,eB(t),l);o[t].copy_(i)
def k(o,r):
 s=[]
 for n in r:
  for t in n.r():s+=o[t].unbind()if n.n else[o[t]]
 return{t:i for((t,m,m),i)in zip(v(r),s,strict=True)}
def x(tensor,generator,ledger):tensor.zero_()
def j(tensor,generator,ledger):tensor.fill_(1.)
def q(tensor,generator,ledger,value):tensor.fill_(value)
def eD(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eE:
 def __init__(o):p=[(f.get_parameter(t),eq(n,t),n)for n in w for t in n.r()];o.tensors,o.names=z(p);o.replicated=[i for(i,d,n)in p if n.reduction=='replicated'];o.c,o.E=z([e for e in p if e[2].j]);a,r=z([e for e in p if e[2].group=='matrix']);oy(a,r);l=[(c,*z([e for e in p if e[2].group==c.name]))for c in oS];ol(l)
 @e.no_grad()
 def step(o,scalars,ledger):
  for r in oR:r(o.tensors,o.names,ledger)
  ob();ev(o.replicated);od(scalars,ledger);ov(scalars,ledger)
  for i in o.tensors:i.grad=None
def z(p):return[i for(i,d,n)in p],[d for(i,d,n)in p]
def eF(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def eG(t):
 global V
 if V is None:V=eF(oU)
 return V(t.bfloat16(),5)
def eH(t,d):t=eG(t).contiguous();return t
def eI(i,t,d,o,h,l):eJ(i,t,d,.025*h.a,o,h,l)
def eJ(i,t,d,a,o,h,l):
 for r in oP:r(i,t,d,a,h,l)
 i.add_(t,alpha=-a*o)
def eK(c,o,f):o.mul_(f).add_(c);return c.add(o,alpha=f)
def eL(t):return max(1,t.shape[-2]/t.shape[-1])**.5
def eM():
 t=''
 try:oN()
 except(OSError,ValueError)as s:t=f"{el}: {s}"
 for(o,a)in enumerate(y(t)):
  if a:raise ValueError(f"{a} (on rank {o})"if o else a)
def eN(a):
 if a is not None:n(f"prepared {el}: {a}")
class Param(o):
 name:o;shape:o;group:o;b:o;init:o=None;B:o='';dtype:o='float32';layers:o=0;n:o=();reduction:o='replicated';u:o='';j:o=True;I:o=True;export:o='yes';w:o=0
 def r(o):return[o.name.format(i)for i in range(o.w,o.layers)]or[o.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class A:
 def __init__(o):o.done={}
 def count(o,plugin,unit,number=1):o.done[plugin,unit]=o.done.get((plugin,unit),0)+number
 def s(o,e,a):o.done[e,'']=a
 def C(o,e):return', '.join(f"{n} {a}".strip()for((t,a),n)in o.done.items()if t==e and n)
def eO(n,a,h):return(n/B(a)).round().clamp(-h,h).to(e.int8)
def B(a):return a[:,None]if a.ndim else a
def eP(r,a,e):return(r.float()*B(a).float()).to(e)
def eQ(n,o):a=n.abs();i=max(o,e.finfo(e.float16).tiny);r=[e.quantile(a,s,1)for s in(.999,.9995,.9999,.99999)];return[(t/31).clamp_min(i).half()for t in(*r,a.amax(1))]
def eR(n,r,a):return(n-eP(r,a,e.float32)).square().mean()
def eS(n):
 if n.ndim==2:t=e.quantile(n.abs(),.9999984,1);a=(t/127).clamp_min(1/127);o=a.half()
 else:t=e.quantile(n.abs().flatten(),.9999984);o=a=t/127 if t>0 else t+1
 t=B(t);return eO(n.clamp(-t,t),a,127),o
def eT(n,e):
 if'kept'in n:return n['kept'].to(e)
 return eP(n['codes'],n['step'],e)
def eU(s):s=s.clone();t=s.diagonal();f=t==0;t[f]=1.;t+=.0201*t.mean();return s,f
class eV:
 def __init__(o):o.i={}
 def __call__(o,e,i,a):a=a.flatten(0,-2).float();t=(a.T@a).double();s=e,i;o.i[s]=o.i[s].add_(t)if s in o.i else t
@e.no_grad()
def eW():
 o=eV();ei={};a=0;f.eval()
 for i in oH():eX(i,(),o);a+=1;tW(f"calibration: batch {a}")
 f.train()
 if not a:raise ValueError('calibration found no batch of tokens')
 h={}
 for(t,m,n)in v(w):
  s=ez(t,n.u)
  if s in o.i:h[t]={'hessian':o.i[s]/a}
 h=oG(h);return{t:{s:d.float()for(s,d)in u.items()}for(t,u)in h.items()},a
def eX(i,e,o):s={};f(i,i,phases=e,observe=o,fields=s)
def eY():return[t for(t,m,n)in v(w)if n.b in('attn','mlp')and n.export!='drop'and len(n.shape[bool(n.n):])==2 and n.shape[-1]*n.shape[-2]>65536]
@e.no_grad()
def eZ():
 o=eV();a={};f.eval();e=tuple(c.name for c in()if c.scoring);eX(M()[0][:1,:64],e,o);f.train();i=eY()
 for(t,m,n)in v(w):
  s=ez(t,n.u)
  if t in i and s not in o.i:raise ValueError(f"{t} needs input statistics, and the forward uses no matrix under its role {s[0]!r}")
  if t in i and s in a:raise ValueError(f"{t} and {a[s]} have the same role {s[0]!r}: wanted one matrix for each")
  a[s]=t
def C(t,o,e):
 a=S.environ.get(t,o)
 try:return e(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a value like {o!r}")from None
def te():global X,Y,u,Z,oY,ee,et,ea,oZ,ie;t=S.environ.get;X=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');Y='export'in p.argv;u=C('ITERATIONS',20000,int);Z=C('MAX_WALLCLOCK_SECONDS',6e2,float);oY=t('RUN_ID',str(c.time_ns()));ee='score'in p.argv;et=C('SEED',1337,int);ea=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oZ=C('TRAIN_LOG_EVERY',200,int);ie=C('VAL_LOSS_EVERY',1000,int)
class Score(o):val_loss:o;l:o;D:o;p:o
def tt(r):
 if r.numel():raise ValueError(f"target {r[0]} of the validation stream is not scored")
def ta(r):i=g[r].to(h,e.int64);a=i[:,:-1].contiguous();return a,i[:,1:].contiguous(),to()
def to():return{}
def ti(t,d,r,p):
 c=r[:,1:];t[c[p]]=d;tW(f"eval: batch {d}");a,o,s=ta(r)
 with e.set_grad_enabled(False):u=ii(a,o,phases=(),fields=s,reduction='none',adapter=None)
 i=oo(a,o,c.to(h));m=p.to(h);f=(u.detach().double()*16777216).round()/16777216;n=f*m,m,i*m;return u,e.stack([l.sum().double()for l in n])
def tn(t,o):
 if r>1:t=t.to(h);a.all_reduce(t,o)
 return t.cpu()
def ts(t,i,s):
 tt(1+(t[1:]==0).nonzero().flatten());f,a,o=ey(i).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(f/a,f/.6931471805599453/o,int(a),1e3*(c.perf_counter()-s))
def tr(scored_at):
 if i==0:c=f"logs/{oY}.scores.npz";R.savez_compressed(c,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;w:o
def th(t):return[Span(i,i+2048,0)for i in range(0,(t-1)//2048*2048,2048)]
def tl(t):return t[len(t)*i//r:len(t)*(i+1)//r]
def td(o):i=e.are_deterministic_algorithms_enabled();n=o if i else tl(o);t=[n[a:a+32]for a in range(0,len(n),32)];return tl(t)if i else t
def tc(o):
 r=e.zeros(32,2049,dtype=e.int64);p=e.zeros(32,2048,dtype=e.bool)
 for(a,(i,t,s))in enumerate(o):r[a,:t+1-i]=e.arange(i,t+1);p[a,s:t-i]=True
 return r,p
def D(o):
 s=c.perf_counter();f.eval();t=e.zeros(len(g),dtype=e.int32);i=e.zeros(3,dtype=e.float64,device=h)
 for(n,m)in enumerate(td(o),1):r,p=tc(m);i+=ti(t,n,r,p)[1]
 f.train();t=tn(t,a.ReduceOp.MAX);return ts(t,i,s),t
def tu():return{t:n.b for(t,m,n)in v(w)if n.export!='drop'}
def tm(o,c,h=0):
 r=tu();a={};e=tp(o,r,c)
 for(t,p)in r.items():
  if t in e:n=e[t]
  else:i=o[t];u=c.get(t,{});n=W[p].encode(t,i,u,m)
  a[t]={s:d.cpu()for(s,d)in n.items()}
 return tg(a)
def tf(t,i,u):return i,u
def tp(o,r,c):
 l={}
 for(t,p)in r.items():
  if p in('attn','mlp')and o[t].ndim==2 and o[t].numel()>65536:a,S=o[t].shape;l.setdefault((p,a,S),[]).append(t)
 h={}
 for((p,m,m),d)in l.items():n=[tf(t,o[t],c.get(t,{}))for t in d];s,u=[i for(i,m)in n],[e for(m,e)in n];f=W[p];h|=zip(d,f.q(d,s,u),strict=True)
 return h
def tg(a):return a
def tw(a):return aU(aY(a))
def ty(data,o):
 t=2**20+sum(8*i.numel()+4096 for i in o.values())
 try:return aZ(aV(data,t))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s)[:99]!r}")from s
def tb(t,n,p,e):i=W[p].decode(t,n,e);return i
def tv(a,o):
 r=tu()
 if a.keys()!=r.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,p)in r.items():
  try:i=tk(t,a[t],p,o[t].dtype)
  except Exception as s:raise ValueError(f"the artifact's {t} cannot be decoded: {s!r}")from s
  if i.shape!=o[t].shape:raise ValueError(f"{t}: shape {[*i.shape]}, wanted {[*o[t].shape]}")
  o[t].copy_(i)
def tk(t,n,p,e):return tb(t,n,p,e)
def tx(o):
 global eo,ei,it;it=i;eo=i==0;s('logs').mkdir(exist_ok=True);ei=s('logs',o+'.txt')
 if eo and not Y:ei.write_text('')
 p.excepthook=t(tq,ei);faulthandler.register(signal.SIGTERM,ei.open('a'),chain=True)
def n(o):
 if eo:
  print(o,flush=True)
  with ei.open('a')as t:print(o,file=t)
def tj(a):
 if eo:n(f"error: {a}")
 elif a not in ei.read_text():
  with ei.open('a')as t:print(f"rank {it}: error: {a}",file=t)
def tq(path,kind,s,trace):
 with path.open('a')as t:traceback.print_exception(s,file=t)
 p.__excepthook__(kind,s,trace)
def tz():
 a=Q.sha256(s(p.argv[0]).read_bytes()).hexdigest();t=f"hardware:{S.uname().machine} CPU, {e.get_num_threads()} threads"
 if h.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 n(f"Running Python {p.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{a}\n{t}")
def E():return len(s(p.argv[0]).read_bytes())
oO='final_model.pt'
def F():return W['mlp'].name
def tA():return s(f"final_model.{F()}.ptz")
def tB(a):
 o=k(f.state_dict(),w)
 if i==0:s('final_export.pt').unlink(missing_ok=True);G(t(e.save,o),'final_model.pt')
 c=tF(a)
 if i==0:h=c,m.done,eh,ed,es;G(t(e.save,h),'final_export.pt')
 tC(o,c)
def tC(o,c):
 r=tZ();l('diagnostic','val');n(f"diagnostic pre-quantization post-ema val_loss:{r.val_loss:.8f} val_bpb:{r.l:.8f} eval_time:{r.p:.0f}ms")
 if i==0:tH(o,c)
 b(.0);tJ()
def G(a,c):
 o=s('final_model.tmp')
 try:
  a(o)
  with o.open('rb')as t:S.fsync(t.fileno())
  o.replace(c)
 finally:o.unlink(missing_ok=True)
def tD():
 global es,ed,eh;o=k(f.state_dict(),w);g=tE('final_model.pt');h=tE('final_export.pt');a=[t for t in o if t not in g or g[t].shape!=o[t].shape]
 if a:raise ValueError(f"final_model.pt is of another model: {a[0]} is missing or has another shape")
 for(t,i)in o.items():i.copy_(g[t])
 c,n,eh,ed,es=h;m.done.update(n);K(es);tC(o,c)
def tE(c):
 try:return e.load(c,h,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{c} is damaged: {str(s)[:99]!r}")from s
def tF(a):
 global en;c={};en=False
 if en:c,t=tG(a)
 else:c,t=eW()
 l('calibration','none'+f" batches:{t}");en=False;return c
def tG(a):
 o=1e3*Z;O();h=eW();ox();O();t=b(oj(a));K(t)
 if 0<o<t:tY(f"calibration from training data ended at {t:.0f}ms, after the {o:.0f}ms of max_wallclock_seconds: build with more time in reserve")
 return h
def tH(o,c):a=tm(o,c,E());l('quantize','none');r=tw(a);l('compress','none');G(t(s.write_bytes,data=r),tA());i=f"{F()}+lzma";n(f"Serialized model: {s(oO).stat().st_size} bytes\nCode size: {E()} bytes\nSerialized model {i}: {len(r)} bytes\nTotal submission size {i}: {len(r)+E()} bytes")
def tI():
 o=k(f.state_dict(),w)
 for i in o.values():i.zero_()
 r=tA().read_bytes();a=Q.sha256(r).hexdigest()
 if ee:
  t=''.join(c.read_text()for c in s('logs').glob('*.txt'))
  if'artifact_sha256:'in t and a not in t:raise ValueError('the artifact is not that of the logs in logs/')
 n('artifact_sha256:'+a);tv(ty(r,o),o)
def tJ():
 o=F()
 if h.type=='cuda':e.cuda.reset_peak_memory_stats()
 tI();l('decode','none');r,t=D(th(len(g)));l('score','val');tK(f"{o}_lzma_roundtrip",r);r,t=D(oh(len(g)));l('score','val');tK(f"{o}_sliding_window",r);tr(t);m.count('sliding_eval','targets',r.D);n(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def tK(i,r):n(f"final_{i} val_loss:{r.val_loss:.4f} val_bpb:{r.l:.4f} eval_time:{r.p:.0f}ms\nfinal_{i}_exact val_loss:{r.val_loss:.8f} val_bpb:{r.l:.8f}")
def tL():
 o=[];a=False
 for t in oV:
  e=m.C(t)
  if e and t not in o:n(f"receipt {t}: {e}")
  else:n(f"error: plugin {t} did nothing");a=i==0
 return a
class Progress(o):step:o;z:o;f:o;m:o;F:o;a:o
class Scalars(o):a:o;x:o;momentum:o
def tM(a,t,i):n=t/i if i>0 else a/max(u,1);return Progress(a,u,t,i,n,1.)
class Context(o):
 ids:o;phases:o;training:o;g:o;memo:o;fields:o;d:o;observe:o;ledger:o
 def t(o,e,a,n=1):
  if o.ledger is not None:o.ledger.count(e,a,n)
def H(a):return d.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tN(a):return d.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tO(t):
 if'starts'in t.fields:return t.fields['starts']
 if'documents'not in t.fields:return
 o=t.fields['documents'];return d.pad(o[:,1:]!=o[:,:-1],(1,0))
def tP(n):return n
def tQ(n,a,e,i,r,t):
 n=tP(n)
 if t.observe is not None:t.observe(e,i,a)
 return I(d.linear(a,n.to(a.dtype)),a,e,r,t)
def I(o,a,i,r,t):
 if t.d is not None and i in t.d.sites:o=o+t.d.delta(a,i,r)
 return o
def tR(o,i,t):
 if'rope'not in t.memo:a=o.size(1);r=o.size(3);c=o.device;p=i**(-e.arange(0,r,2,dtype=e.float32,device=c)/r);l=e.outer(e.arange(a,dtype=e.float32,device=c),p);t.memo['rope']=l.cos(),l.sin()
 m,f=(n[None,:,None,:].to(o.dtype)for n in t.memo['rope']);s,h=o.chunk(2,-1);return e.cat((s*m+h*f,h*m-s*f),-1)
class GPT(T.Module):
 def __init__(o,r,i):super().__init__();o.records=r;eA(o,r,i)
 def matrices(o):return k(dict(o.named_parameters()),o.records)
 def h(o,a,e,i,r,t):return tQ(t.g[f"blocks.{i}.{e}.weight"],a,e,i,r,t)
 def stem(o,ids,ctx):a=d.embedding(ids,ctx.g['tok_emb.weight']);a=I(a,a,'embed',0,ctx);a=a+ap(ids,ctx);a=H(a);a=aO(a,ctx);return a
 def y(o,i,t):a=o.stem(i,t);return H(aN(o,a,a,t))
 def logits(o,x,ctx):
  n=aQ(x,ctx)
  for r in oT:n=r(o,n,ctx)
  return n
 def forward(o,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):r=fields or{};h={};fields={**h,**r};t=Context(ids,phases,o.training,o.matrices(),{},fields,adapter,observe,ledger);a=o.y(ids,t);n=o.logits(a,t);p=az(n,targets,reduction,t);return p
def tS(t):
 t=s(t);o=sorted(c for c in t.parent.glob(t.name)if('_bytes_'in c.name)==('_bytes_'in t.name))
 if not o:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return o
def tT(c):
 o=s(c).stat().st_size;t=R.fromfile(c,'<i4',3).tolist()
 if o<=1024 or t!=[20240520,1,(o-1024)/2]:raise ValueError(f"{c}: {o} bytes and header {t}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return t[2]
def J(c):
 a=R.memmap(c,'<u2','r',1024,tT(c))
 if a.max()>=1024:raise ValueError(f"{c}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tU(t):
 a=R.concatenate([J(c)for c in tS(t)])
 if len(a)<=2048:raise ValueError(f"{t}: {len(a)} tokens, wanted at least 2049")
 return e.from_numpy(a[:(len(a)-1)//2048*2048+1])
def tV():global es,ia,er;es=.0;ia=er=c.perf_counter()
def K(t):global ia;ia=c.perf_counter()-t/1e3
def l(t,data):global es,er;o=1e3*(c.perf_counter()-ia);n(f"stage:{t} begin:{es:.0f}ms end:{o:.0f}ms data:{data}");es=o;er=c.perf_counter()
def tW(a):
 global er
 if c.perf_counter()>er+10:er=c.perf_counter();n(a)
def tX(r,l):global ed,ii,m,f,w,eh,el,g,en;w=r;m=l;eh=();el='';tV();ed=False;en=not(ee or Y);i=e.bfloat16 if h.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;f=GPT(r,i);eC(r,l);ii=eF(f);t=s(X,'fineweb_val_*.bin');g=tU(t);oa(l);a=Q.sha256(g.numpy().data).hexdigest();n(f"val_loader:shards pattern={t} tokens:{len(g)-1}\nval_sha256:{a}")
def L(l):t=s(X,'fineweb_train_*.bin');oi(t,l)
def M():
 if not en:raise ValueError('training data are closed: training time is over')
 m=os();a,o=(l.to(h,non_blocking=True)for l in m);return a,o,{}
def tY(a):global ed;n(f"error: {a}");ed=True
def tZ():return D(th(len(g)))[0]
def ae():t=[()];return t
def at():
 a,o,s=M();a,o=a[:1,:512],o[:1,:512];s={t:d[:1,:512]for(t,d)in s.items()};i=tuple(c.name for c in());f(a,o,phases=i,fields=s,ledger=m).backward()
 for n in w:e=sum(f.get_parameter(t).grad is not None for t in n.r());m.count(n.B,'trained tensors',e)
 f.zero_grad()
def aa():
 o=f.state_dict();r={t:i.clone()for(t,i)in o.items()};c=eE();s=A();L(s)
 for h in ae():
  for a in range(20):ah(c,h,Scalars(1.,1.,.9),s);n(' '.join((f"warmup_step:{a+1}/20",*h)))
 for(t,i)in o.items():i.copy_(r[t])
 e.manual_seed(et);L(m)
def ao(r):
 try:te();eg();l=A();tx(y(oY)[0])
 except(OSError,ValueError)as s:print(f"error: {s}",file=p.stderr);p.exit(2)
 e.manual_seed(et);e.backends.cuda.matmul.allow_tf32=True
 if Z==0:an()
 tz();n('plugins:'+' '.join(oV));ai(r,l)
 if en:
  ar();at();aa();a=ac()
  try:tB(a)
  except(OSError,ValueError)as s:tj(str(s));p.exit(f"error: rank {i}: {s}")
 t=not ee and(tL()or ed);ew()
 if t:p.exit(1)
def ai(r,l):
 global eh
 try:
  tX(r,l);eM()
  if Y:tD()
  elif ee:eh=tuple(c.name for c in());tJ()
  else:L(A());eZ()
  return
 except(OSError,ValueError)as s:
  tj(str(s))
  if not Y:ew()
  p.exit(2)
def an():S.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def ar():n(f"model_params:{sum(i.numel()for i in f.parameters())}\nworld_size:{r} grad_accum_steps:{8//r}\nseed:{et}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{u} warmup_steps:20 max_wallclock_seconds:{Z:.3f}")
def ah(c,e,h,l):
 t=8//r;i=.0
 for m in range(t):a,o,s=M();p=ii(a,o,phases=e,fields=s)/t;i+=p.detach();p.backward()
 c.step(h,l);return i
def al(a,t,i):
 o=tM(a,t,i);h=Scalars(1.,1.,.0)
 for n in oW:h=n(o,h,m)
 return h
def ad():return 1e3*Z
def ac():
 c=eE();oc(c.c);i=ad();a=0;t=.0;O()
 while True:
  f=a==u or 0<i<=t
  if f or ie>0 and a%ie==0:
   ox();r=tZ();au(a,f"val_loss:{r.val_loss:.4f} val_bpb:{r.l:.4f}",t)
   if f:break
   O()
  h=al(a,t,i);p=ah(c,eh,h,m);a+=1;ou(c.c,a,h);t=b(oj(a))
  if oZ>0 and(a<=10 or a%oZ==0):
   au(a,f"train_loss:{p:.4f}",t)
   if p!=p:raise ValueError('the training loss is not a number')
 if a<u:n(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{a}/{u}")
 o=e.cuda.max_memory_allocated()>>20;s=e.cuda.max_memory_reserved()>>20;n(f"peak memory allocated: {o} MiB reserved: {s} MiB");om(c.c);K(t);l('train','train');return a
def au(a,o,t):n(f"step:{a}/{u} {o} train_time:{t:.0f}ms step_avg:{t/max(a,1):.2f}ms")
def am(a,r,o,t):t.t('additive_skips','skips');return a+t.g['skip_weights'][o].to(a.dtype)*r
def af(i,t):
 n=e.bitwise_xor(36313*i[:,1:],27191*i[:,0:-1]);o=d.pad(n%3071,(1,0),value=3071);a=tO(t)
 if a is not None:r=a;o=o.masked_fill(r,3071)
 return o
def ap(i,t):t.t('bigram_hash','lookups');n=t.g['bigram.embed.weight'];a=d.embedding(af(i,t),n);o=d.linear(a,t.g['bigram.proj.weight'].to(a.dtype));return o*t.g['bigram.scale'].to(a.dtype)
def ag(a,n,r,t):return aq(a,n,r,t)
def aw(a,n,i,r,t):s=a.h(n,'attn.c_q',i,r,t);c=a.h(n,'attn.c_k',i,r,t);h=a.h(n,'attn.c_v',i,r,t);h=aS(h,i,t);s=aD(H(e.unflatten(s,2,(8,-1))),t);c=aD(H(e.unflatten(c,2,(4,-1))),t);h=e.unflatten(h,2,(4,-1));s,c=aE(s,c,i,t);o=ag(s,c,h,t);o=aT(o,h,i,t);o=a.h(o.flatten(2),'attn.proj',i,r,t);return I(o,n,'attn',r,t)
def ay(a,n,r):s=a.transpose(1,2);c=n.transpose(1,2);h=r.transpose(1,2);o=s.size(1)!=c.size(1);return d.scaled_dot_product_attention(s,c,h,is_causal=True,enable_gqa=o).transpose(1,2)
def ab():
 if h.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return ax(),None
def av(t,a,n,r):o=t(a,n,r,causal=True,window_size=(-1,0));return o[0]if isinstance(o,tuple)else o
def ak(t,a,n,r):
 if t is not None:return av(t,a,n,r)
 return ay(a,n,r)
def ax():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def aj():global oQ;t,oQ=ab();return t
def aq(s,c,h,t):t.t('causal_attention','layers');return ak(oQ,s,c,h)
def az(o,a,reduction,t):t.t('cross_entropy','losses');p=d.cross_entropy(o.flatten(0,1).float(),a.flatten(),reduction=reduction);return p.view_as(a)if reduction=='none'else p
def aA(a,n,i,r,t):t.t('leaky_relu2','layers');o=d.leaky_relu(a.h(n,'mlp.fc',i,r,t),.5).square();return a.h(o,'mlp.proj',i,r,t)
def aB(n,i,t):t.t('ln_scale','branches');o=(i+1)**-.5;return n*o
def aC(length):t=max(length/1024,1.)**(16/14);return 1e4*t
def aD(o,t):t.t('ntk_rope','rotations');a=t.fields['segments'][0].size(1)if'segments'in t.fields else o.size(1);i=tR(o[...,:16],aC(a),t);return e.cat((i,o[...,16:]),-1)
def N(tensor,generator,ledger):
 if min(tensor.shape)>=64:T.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator)
def aE(a,n,i,t):t.t('qk_gain','layers');o=t.g[f"blocks.{i}.attn.q_gain"].to(a.dtype);return a*o[:,None],n
def aF(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aG(a,e,i,t):o=t.g[f"blocks.{i}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*e
def aH(a,i,t):o=H(a);o=aB(o,i,t);return o
def aI(a,n,i,r,t):o=aw(a,n,i,r,t);return t.g[f"blocks.{i}.attn_scale"].to(n.dtype)*o
def aJ(a,n,i,r,t):o=aA(a,n,i,r,t);o=I(o,n,'mlp',r,t);return t.g[f"blocks.{i}.mlp_scale"].to(n.dtype)*o
def aK(a,n,e,i,r,t):s=aG(n[0],e,i,t);s=s+aI(a,aH(s,i,t),i,r,t);return s+aJ(a,aH(s,i,t),i,r,t),
def aL(n,r,o,i,t):
 if r is None:return n
 return am(n[0],r,o,t),*n[1:]
def aM(a,n,e,t):
 h,s=aR(t.phases);t.t('unet_plan','steps over 11 layers',len(h)+len(s));c=[]
 for(r,i)in enumerate(h):n=aK(a,n,e,i,r,t);c.append(n[0])
 for(o,i)in enumerate(s):n=aL(n,c.pop()if c else None,o,i,t);n=aK(a,n,e,i,len(h)+o,t)
 return n
def aN(a,o,i,t):t.t('sequential_wiring','walks');return aM(a,(o,),i,t)[0]
def aO(o,t):
 t.t('smear_gate','blends');i=tN(o);a=tO(t)
 if a is not None:i=i.masked_fill(a[...,None],0)
 n=e.sigmoid(t.g['smear.gate']).to(o.dtype);return(1-n)*o+n*i
def aP(model,o,ctx,cap):ctx.t('tanh_softcap','caps');return cap*e.tanh(o/cap)
def aQ(o,t):t.t('tied_head','heads');return tQ(t.g['tok_emb.weight'],o,'head',0,0,t)
def aR(e):a=tuple(range(11));return a[:len(a)//2],a[len(a)//2:]
def aS(n,i,t):
 if i not in(9,10):return n
 t.t('value_embedding','layers')
 if've'not in t.memo:a=d.embedding(t.ids,t.g['ve_shared.embed.weight']);a=d.linear(a,t.g['ve_shared.proj.weight'].to(a.dtype));t.memo['ve']=a*t.g['ve_shared.scale'].to(a.dtype)
 o=t.g[f"ve_layer_scales.{oX.index(i)}"];e=t.memo['ve'];return n+o.to(n.dtype)*e
def aT(a,r,i,t):
 if i<0:return a
 t.t('xsa','layers');o=e.unflatten(a,2,(r.size(2),-1));n=d.normalize(r,dim=-1)[:,:,:,None,:];return(o-(o*n).sum(-1,keepdim=True)*n).flatten(2,3)
def aU(data):o=lzma.compress(data,preset=9);m.s('lzma',f"{len(data)} -> {len(o)} bytes");return o
def aV(data,t):
 s=lzma.LZMADecompressor(memlimit=2**27);o=s.decompress(data,t)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return o
def aW(a):o=io.BytesIO();i={p.intern(t):{p.intern(s):l for(s,l)in n.items()}for(t,n)in a.items()};e.save(i,o);return o.getvalue()
def aX(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aY(a):r=aW(a);m.s('torch_save',f"{len(a)} tensors in {len(r)} bytes");return r
def aZ(data):return aX(data)
def oe():
 try:t=SentencePieceProcessor(ea)
 except(OSError,RuntimeError)as s:raise OSError(f"{ea}: not a SentencePiece model")from s
 if len(t)>1024:raise ValueError(f"{ea} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{ea}: U+2581 is not a piece of its own")
 return t
def ot(t):
 a=[(0,0,1)]*1024
 for o in range(len(t)):
  if not(t.is_control(o)or t.is_unknown(o)or t.is_unused(o)):i=t.id_to_piece(o);n=i.startswith('\u2581');a[o]=1 if t.is_byte(o)else len(i.encode())-3*n,n,0
 return e.tensor(a).T
def oa(l):
 global ib,iy,ir,iw
 if any(s(X).glob('*_bytes_*')):raise ValueError(f"{X}: it has byte side files, build with the plugin that reads them")
 t=ot(oe());iw,iy,ib=t.to(h);ir=l
def oo(o,t,a):ir.count('sentencepiece_bytes','targets',t.numel());i=iw[t]+(iy[t]&~ib[o]);return i
def oi(t,l):
 global ec,ic,ih,eu,il;ec=tS(t)
 for c in ec:tT(c)
 ih=i;il=r;ic=l;eu=J(ec[0])
def on(a):
 global eu;n=[]
 while a>0:
  if not len(eu):ec.append(ec.pop(0));eu=J(ec[0])
  n.append(eu[:a]);eu=eu[a:];a-=len(n[-1])
 return R.concatenate(n)
def os():t=on(il*98305).reshape(il,-1)[ih];t=e.from_numpy(t.astype(int));ic.count('sequential_loader','batches');return t[:-1].reshape(-1,2048),t[1:].reshape(-1,2048)
def oh(t):o=min(64,2048);c=t-1;i=range(0,max(c-(2048-o),1),o);return[Span(a,min(a+2048,c),0 if a==0 else 2048-o)for a in i]
def ol(l):global iu;n=[{'params':s,'spec':c}for(c,s,d)in l];iu=e.optim.AdamW(n,betas=(.9,.95),eps=1e-08,fused=True)
def od(h,l):
 for i in iu.param_groups:i['lr']=i['spec'].lr*h.a;i['weight_decay']=i['spec'].weight_decay*h.x
 iu.step();l.count('adam','steps')
@e.no_grad()
def oc(s):global em,im;im=0;em=[i.detach().float().clone()for i in s]
@e.no_grad()
def ou(s,w,h):global im;im+=1;e._foreach_mul_(em,.997);e._foreach_add_(em,[i.detach().float()for i in s],alpha=1-.997)
@e.no_grad()
def om(s):
 for(i,t)in zip(s,em,strict=True):i.copy_(t)
 m.count('ema','updates',im)
def of(s,names,ledger,max_norm):T.utils.clip_grad_norm_(s,max_norm);ledger.count('grad_clip','steps')
def op(o,h,ledger,start,final,steps):t=min(o.step/steps,1.)if steps>0 else 1.;f=(1-t)*start+t*final;ledger.s('momentum_warmup',f"momentum {f:.4f} at step {o.step}");return h._replace(momentum=f)
def og(tensor,t,names,lr,h,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*h.x);ledger.count('muon_weight_decay','tensors decayed')
def ow(a,steps,scale_first):
 o=a.shape[-2]>a.shape[-1]
 if o:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(steps):t=a@a.mT;i=2.0315*t@t if scale_first else 2.0315*(t@t);a=3.4445*a+(-4.775*t+i)@a
 return a.mT if o else a
class MuonBank(o):weight:o;names:o;A:o;full:o;k:o;momentum:o;ei:o
def oy(s,d):
 global ef,iv;iv={};ef=[];g=e.bfloat16 if h.type=='cuda'else e.float32
 for(n,u)in sorted(zip(s,d,strict=True),key=lambda N:-N[0].numel()):*m,a,S=n.shape;l=-(-len(u)//r);p=(*u,*['']*l*r)[l*i:][:l];w=[(o,a,S)for o in(l*r,l)];c,t=[e.zeros(v,dtype=g,device=h)for v in w];ei,f=[e.zeros(v,dtype=e.bfloat16,device=h)for v in w];ef.append(MuonBank(n,u,p,c,t,f,ei))
def ob():
 global ip;ip=[]
 for o in ef:c=eb(o.weight).bfloat16();o.full.flatten()[:c.numel()].copy_(c.flatten());ip.append(ek(o.k,o.full))
def ov(h,l):
 a=[]
 for(o,i)in zip(ef,ip,strict=True):
  ej(i);e=r;c=(o.k/e).bfloat16();t=eK(c,o.momentum,h.momentum);t=eH(t,o.A);a.append((o,ex(o.ei,t),t))
  if len(a)>1:ok(*a.pop(0),h,l)
 for n in a:ok(*n,h,l)
def ok(o,i,t,h,l):ej(i);n=o.weight;a=o.ei.flatten()[:n.numel()].view_as(n);eI(n,a,o.names,eL(n),h,l);l.count('parallel_muon','bank updates');l.count('newton_schulz','matrices',o.ei.size(0))
def O():global ig;ig=c.perf_counter()-U
def ox():
 global U
 if e.cuda.is_available():e.cuda.synchronize()
 U=c.perf_counter()-ig;m.s('wall_clock',f"{U:.3f} seconds")
def oj(a):return 1e3*(c.perf_counter()-ig)
def oq(o,length):
 if length<=0:return 1.
 if o.m>0:t=length*(o.f/max(o.step,1));return min(max(o.m-o.f,.0)/max(t,1e-09),1.)
 i=o.z-o.step;return i/length if 0<i<=length else 1.
def oz(o,h,ledger,length):t=oq(o,length);ledger.s('warmdown_iters',f"multiplier {t:.4f} at step {o.step}");return h._replace(a=h.a*t)
class Trial(o):codes:o;step:o;error:o
class oA:
 name='int6'
 def __init__(o,t):o.floor=.03225806451612903;o.v=t
 def encode(o,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');n,e=tensor.float(),None
  for a in eQ(n,o.floor):s=A()if e else ledger;r=o.v(name,n,a,31,statistics,s);e=oC(e,oB(n,r,a,statistics))
  return{'codes':e.codes,'step':e.step}
 def q(o,d,s,c):
  m.count('clip_search','tensors quantized',len(d));g=[i.float()for i in s];w=[eQ(n,o.floor)for n in g];e=[None]*len(d);N=o.v
  for t in range(len(w[0])):
   l=[p for(p,S)in enumerate(w)if not any(S[t].equal(v)for v in S[:t])];k=[[f[p]for p in l]for f in(d,g)];u=[c[p]for p in l];S=[w[p][t]for p in l];h=N.solve(*k,S,31,u,A()if t else m)if l else[]
   for(p,r,a)in zip(l,h,S,strict=True):e[p]=oC(e[p],oB(g[p],r,a,c[p]))
  return[{'codes':ei.codes,'step':ei.step}for ei in e if ei]
 def decode(o,name,parts,kind):return eT(parts,kind)
def oB(n,r,a,c):
 if'hessian'in c:f=c['hessian'].diagonal()==0;return Trial(r,a,eR(n.masked_fill(f,.0),r.masked_fill(f,0),a))
 return Trial(r,a,eR(n,r,a))
def oC(v,l):
 if v is None:return l
 t=l.error<v.error;return Trial(*(e.where(t,o,i)for(i,o)in zip(v,l,strict=True)))
class oD:
 G='hessian',
 def __init__(o):o.block=128
 def __call__(o,name,weight,step,h,c,ledger):return o.solve([name],[weight],[step],h,[c],ledger)[0]
 def solve(o,names,weights,steps,top,statistics,ledger):
  for(t,u)in zip(names,statistics,strict=True):
   if'hessian'not in u:raise ValueError(f"{t} has no input statistics, which gptq needs")
  k,A,S=[],[],[]
  for(n,u)in zip(weights,statistics,strict=True):s,f=eU(u['hessian']);ei=u['order']if'order'in u else s.diagonal().argsort(descending=True,stable=True);k.append(ei);A.append(s[ei][:,ei]);S.append(n.masked_fill(f,.0).T[ei])
  v,m=oE(e.stack(A)),e.stack(S);r,a=e.empty_like(m),e.stack(steps).float()
  for i in range(0,m.shape[1],o.block):oF(m,r,v,a,top,i,min(i+o.block,m.shape[1]))
  N=(~v.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(N));ledger.count('gptq','matrices',len(names)-sum(N));return[eO(weights[p],a[p],top)if N[p]else r[p,ei.argsort()].T.contiguous().to(e.int8)for(p,ei)in enumerate(k)]
def oE(s):t,N=e.linalg.cholesky_ex(s);o,a=e.linalg.cholesky_ex(e.cholesky_inverse(t),upper=True);return e.where((N+a>0)[...,None,None],e.nan,o)
def oF(m,r,v,a,h,i,t):
 n=e.empty_like(m[:,i:t])
 for o in range(i,t):r[:,o]=(m[:,o]/a).round().clamp(-h,h);s=(m[:,o]-r[:,o]*a)/v[:,o,o,None];m[:,o:t]-=v[:,o,o:t,None]*s[:,None];n[:,o-i]=s
 m[:,t:]-=v[:,i:t,t:].mT@n
def oG(c):
 d=[(t,s)for t in sorted(c)for s in sorted(c[t])]
 for(o,a)in enumerate(y(d)):
  if a!=d:n=sorted({*d}^{*a})[0][0];raise ValueError(f"ranks {i} and {o} have statistics of different matrices, such as {n}")
 for(t,s)in d:ey(c[t][s]).div_(r);m.count('hessian_all_reduce',f"statistics over {r} ranks")
 return c
class P:
 name='int8'
 def __init__(o,t):o.half=t
 def encode(o,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if o.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,a=eS(tensor.float());return{'codes':r,'step':a}
 def decode(o,name,parts,kind):return eT(parts,kind)
def oH():
 l=64//r
 for s in range(i*l,(i+1)*l,8):o=range(s,min(s+8,(i+1)*l));t=e.stack([oJ(n)for n in o]);m.count('self_calibration','sequences',len(t));yield oI(t.to(h))[:,:-1]
def oI(t):
 i=e.zeros_like(t,dtype=e.long);i[:,0]=(t[:,0]*1024).long()
 for p in range(1,t.shape[1]):n=oK(i,p-1);i[:,p]=oL(n/.8,t[:,p:p+1])[:,0]
 return i
def oJ(n):return e.rand(2048,generator=eB(f"self_calibration {n}"))
def oK(i,p):s={};t=Context(i,(),False,f.matrices(),{},s,None,None,None);return f.logits(f.y(i,t)[:,p:p+1],t)[:,0].float()
def oL(n,t):o=n.softmax(1).cumsum(1)<=t;return o.sum(1,keepdim=True).clamp_max(n.shape[1]-1)
def oM():return Param('qo_bank',(22,512,512),'matrix','attn',(N,x),'banks',n=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(N,N),'banks',n=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(N,),'banks',n=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(x,),'banks',n=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',j,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',x,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',N,'bigram_hash'),Param('bigram.scale',(),'scalar','control',t(q,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',t(q,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',aF,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',x,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',t(eD,std=.005),'tied_head','activation',u='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',t(eD,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',t(q,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',j,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',N,'value_embedding')
def oN():global el;el='causal_attention';eN(aj())
oP=t(og,weight_decay=.04),
oQ=None
U=.0
oR=t(of,max_norm=.3),
oS=Group('embed',.035,.04),Group('scalar',.025,.04)
oT=t(aP,cap=3e1),
oU=t(ow,scale_first=False)
V=None
oV='adam','additive_skips','banks','bigram_hash','causal_attention','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oW=t(op,final=.99,start=.92,steps=1500),t(oz,length=4000)
W={'attn':oA(oD()),'aux':P(True),'control':P(False),'embed':P(True),'mlp':oA(oD())}
oX=9,10
if __name__=='__main__':ao(oM())