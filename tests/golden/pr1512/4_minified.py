import faulthandler,hashlib as O,io,lzma,numpy as P,os as Q,signal,subprocess,sys as m,time as r,torch as e,torch.distributed as f,torch.nn.functional as l,traceback
from functools import partial as a
from pathlib import Path as i
from sentencepiece import SentencePieceProcessor
from torch import nn as R
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as o
def er():
 o=Q.environ.get;n=int(o('RANK',0));t=int(o('WORLD_SIZE',1));a=int(o('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8 micro-batches")
 return n,t,a
def eh():
 global d,p,h;n,t,a=er();o='gloo';r=e.device('cpu')
 if e.cuda.is_available():o='nccl';r=e.device('cuda',a);e.cuda.set_device(r)
 if t>1:f.init_process_group(o)
 p=n;h=t;d=r
def el():
 if h>1:f.destroy_process_group()
def ed(a):
 if h>1:f.all_reduce(a)
 return a
def w(value):
 I=[value]*h
 if h>1:f.all_gather_object(I,value)
 return I
def g(value):
 if h==1:return value
 o=e.tensor(value,dtype=e.float64,device=d);f.all_reduce(o,f.ReduceOp.MAX);return o.item()
def ec(a):
 if a.grad is None:a.grad=e.zeros_like(a)
 return a.grad
def eu(t):
 o=[ec(a)for a in t]
 if h>1:
  i=e.cat([n.flatten()for n in o]);f.all_reduce(i);s=(i/h).split([n.numel()for n in o])
  for(n,l)in zip(o,s,strict=True):n.copy_(l.view_as(n))
def em(a,i):
 if h>1:return f.reduce_scatter(a,list(i.chunk(h)),async_op=True)
 a.copy_(i)
def ef(i,a):
 if h>1:return f.all_gather(list(i.chunk(h)),a,async_op=True)
 i.copy_(a)
def ep(a):
 if a is not None:a.wait()
def eg(s,i):
 if not s.s:return i,
 a=range(s.shape[0]//len(s.s));return tuple(o.format(t)for o in s.s for t in a)
def n(r):
 h=[]
 for s in r:
  if s.s:
   a=range(s.shape[0]//len(s.s))
   for(o,f)in zip(s.s,s.init,strict=True):h+=[(o.format(t),f,s)for t in a]
  else:h+=[(i,s.init,s)for i in s.u()]
 return h
def ew(i,o):
 if i.startswith('blocks.')and i.endswith('.weight'):t,e=i[len('blocks.'):-len('.weight')].split('.',1);return e,int(t)
 return o,0
def ey(t,r,f):
 for s in r:
  h=f if s.dtype=='activation'else e.float32
  for i in s.u():
   *c,a=i.split('.');o=t
   for n in c:
    if n not in o._modules:o.add_module(n,R.ModuleList())
    o=o._modules[n]
   o.register_parameter(a,R.Parameter(e.empty(s.shape,dtype=h,device=d)))
def eb(i):n=O.sha256(f"{et}:{i}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def ev(h,r,l):
 o=s(h.state_dict(),r)
 for(i,f,m)in n(r):t=e.empty(o[i].shape);f(t,eb(i),l);o[i].copy_(t)
def s(o,r):
 t=[]
 for s in r:
  for i in s.u():t+=o[i].unbind()if s.s else[o[i]]
 return{i:a for((i,m,m),a)in zip(n(r),t,strict=True)}
def t(tensor,generator,ledger):tensor.zero_()
def y(tensor,generator,ledger):tensor.fill_(1.)
def b(tensor,generator,ledger,value):tensor.fill_(value)
def ek(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class ex:
 def __init__(o,h,r):f=[(h.get_parameter(i),eg(s,i),s)for s in r for i in s.u()];o.tensors,o.names=v(f);o.replicated=[a for(a,c,s)in f if s.reduction=='replicated'];o.b,o.ei=v([w for w in f if w[2].R]);t,n=v([w for w in f if w[2].group=='matrix']);oh(t,n);p=[(d,*v([w for w in f if w[2].group==d.name]))for d in oN];aY(p)
 @e.no_grad()
 def step(o,scalars,ledger):
  for d in oM:d(o.tensors,o.names,ledger)
  ol();eu(o.replicated);aZ(scalars,ledger);od(scalars,ledger)
  for a in o.tensors:a.grad=None
def v(f):return[a for(a,c,s)in f],[c for(a,c,s)in f]
def ej(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def eq(o):
 global V
 if V is None:V=ej(oP)
 return V(o.bfloat16(),5)
def ez(o,c):o=eq(o).contiguous();return o
def eA(a,o,c,s,i,l):eB(a,o,c,.025*i.n,s,i,l)
def eB(a,o,c,t,s,i,l):
 for d in oL:d(a,o,c,t,i,l)
 a.add_(o,alpha=-t*s)
def eC(n,o,r):o.mul_(r).add_(n);return n.add(o,alpha=r)
def eD(o):return max(1,o.shape[-2]/o.shape[-1])**.5
def eE(t):
 o=''
 try:oJ(t)
 except(OSError,ValueError)as s:o=f"{t.preparing}: {s}"
 for(n,a)in enumerate(w(o)):
  if a:raise ValueError(f"{a} (on rank {n})"if n else a)
def eF(t,a):
 if a is not None:t.log(f"prepared {t.preparing}: {a}")
class Param(o):
 name:o;shape:o;group:o;I:o;init:o=None;m:o='';dtype:o='float32';layers:o=0;s:o=();reduction:o='replicated';D:o='';R:o=True;eo:o=True;export:o='yes';l:o=0
 def u(o):return[o.name.format(t)for t in range(o.l,o.layers)]or[o.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class Phase(o):name:o;start:o;L:o=True;m:o=''
class k:
 def __init__(o):o.done={}
 def count(o,plugin,unit,number=1):o.done[plugin,unit]=o.done.get((plugin,unit),0)+number
 def r(o,n,a):o.done[n,'']=a
 def et(o,n):return', '.join(f"{s} {t}".strip()for((i,t),s)in o.done.items()if i==n and s)
def x(s,n,h):return(s/j(n)).round().clamp(-h,h).to(e.int8)
def j(n):return n[:,None]if n.ndim else n
def q(r,n,t):return(r.float()*j(n).float()).to(t)
def eG(s,half):
 if s.ndim==2:n=(s.abs().amax(1)/31).clamp_min(1/31)
 else:n=s.abs().amax()/31;n=n if n>0 else n+1
 if half:n=n.half()
 return x(s,n.float(),31),n
def eH(s,o):t=s.abs();a=max(o,e.finfo(e.float16).tiny);n=[e.quantile(t,r,1)for r in(.999,.9995,.9999,.99999)];return[(i/31).clamp_min(a).half()for i in(*n,t.amax(1))]
def eI(s,r,n):return(s-q(r,n,e.float32)).square().mean()
def eJ(s):
 if s.ndim==2:i=e.quantile(s.abs(),.9999984,1);n=(i/127).clamp_min(1/127);o=n.half()
 else:i=e.quantile(s.abs().flatten(),.9999984);o=n=i/127 if i>0 else i+1
 i=j(i);return x(s.clamp(-i,i),n,127),o
def eK(s,t):
 if'kept'in s:return s['kept'].to(t)
 return q(s['codes'],s['step'],t)
def eL(a):a=a.clone();o=a.diagonal();m=o==0;o[m]=1.;o+=.0201*o.mean();return a,m
class eM:
 def __init__(o):o.c={}
 def __call__(o,e,t,n):n=n.flatten(0,-2).float();a=(n.T@n).double();f=e,t;o.c[f]=o.c[f].add_(a)if f in o.c else a
@e.no_grad()
def eN(t):
 o=eM();g={};a=0;t.model.eval()
 for r in oD(t):eO(t,r,t.A(),o);a+=1;t.a.K(f"calibration: batch {a}")
 t.model.train()
 if not a:raise ValueError('calibration found no batch of tokens')
 h={}
 for(i,m,s)in n(t.parameters):
  f=ew(i,s.D)
  if f in o.c:h[i]={'hessian':o.c[f]/a}
 h=oq(h,t.ledger);return{i:{f:p.float()for(f,p)in u.items()}for(i,u)in h.items()},a
def eO(t,r,p,o):c={};t.model(r,r,phases=p,observe=o,fields=c)
def eP(r):return[i for(i,m,s)in n(r)if s.I in('attn','mlp')and s.export!='drop'and len(s.shape[bool(s.s):])==2 and s.shape[-1]*s.shape[-2]>65536]
@e.no_grad()
def eQ(t):
 o=eM();a={};t.model.eval();p=tuple(d.name for d in u if d.L);eO(t,t.j()[0][:1,:64],p,o);t.model.train();e=eP(t.parameters)
 for(i,m,s)in n(t.parameters):
  f=ew(i,s.D)
  if i in e and f not in o.c:raise ValueError(f"{i} needs input statistics, and the forward uses no matrix under its role {f[0]!r}")
  if i in e and f in a:raise ValueError(f"{i} and {a[f]} have the same role {f[0]!r}: wanted one matrix for each")
  a[f]=i
def z(i,o,t):
 a=Q.environ.get(i,o)
 try:return t(a)
 except ValueError:raise ValueError(f"{i} is {a!r}, wanted a value like {o!r}")from None
def eR():global X,Y,c,Z,oU,ee,et,ea,oV,oW;o=Q.environ.get;X=o('DATA_PATH','./data/datasets/fineweb10B_sp1024');Y='export'in m.argv;c=z('ITERATIONS',20000,int);Z=z('MAX_WALLCLOCK_SECONDS',6e2,float);oU=o('RUN_ID',str(r.time_ns()));ee='score'in m.argv;et=z('SEED',1337,int);ea=o('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oV=z('TRAIN_LOG_EVERY',200,int);oW=z('VAL_LOSS_EVERY',1000,int)
class Score(o):val_loss:o;w:o;i:o;G:o
def eS(i):
 if i.numel():raise ValueError(f"target {i[0]} of the validation stream is not scored")
def eT(t,i):r=t.i[i].to(d,e.int64);n=r[:,:-1].contiguous();return n,r[:,1:].contiguous(),eU()
def eU():return{}
def eV(t,o,w,i,h):
 m=i[:,1:];o[m[h]]=w;t.a.K(f"eval: batch {w}");n,r,c=eT(t,i);p=t.A()
 with e.set_grad_enabled(False):g=t.forward(n,r,phases=p,fields=c,reduction='none',adapter=None)
 a=aT(n,r,m.to(d));u=h.to(d);f=(g.detach().double()*16777216).round()/16777216;s=f*u,u,a*u;return g,e.stack([l.sum().double()for l in s])
def eW(o,t):
 if h>1:o=o.to(d);f.all_reduce(o,t)
 return o.cpu()
def eX(o,c,m):
 eS(1+(o[1:]==0).nonzero().flatten());f,a,l=ed(c).tolist()
 if a>len(o)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(f/a,f/.6931471805599453/l,int(a),1e3*(r.perf_counter()-m))
def eY(scored_at):
 if p==0:c=f"logs/{oU}.scores.npz";P.savez_compressed(c,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;l:o
def eZ(o):return[Span(t,t+4096,0)for t in range(0,(o-1)//4096*4096,4096)]
def te(o):return o[len(o)*p//h:len(o)*(p+1)//h]
def tt(p,n):a=e.are_deterministic_algorithms_enabled();s=p if a else te(p);o=[s[t:t+n]for t in range(0,len(s),n)];return te(o)if a else o
def ta(p,n):
 i=e.zeros(n,4097,dtype=e.int64);h=e.zeros(n,4096,dtype=e.bool)
 for(s,(t,a,l))in enumerate(p):i[s,:a+1-t]=e.arange(t,a+1);h[s,l:a-t]=True
 return i,h
def A(t,p):
 m=r.perf_counter();n=t.p;t.model.eval();o=e.zeros(len(t.i),dtype=e.int32);c=e.zeros(3,dtype=e.float64,device=d)
 for(s,a)in enumerate(tt(p,n),1):i,h=ta(a,n);c+=eV(t,o,s,i,h)[1]
 t.model.train();o=eW(o,f.ReduceOp.MAX);return eX(o,c,m),o
def to(r):return{i:s.I for(i,m,s)in n(r)if s.export!='drop'}
def ti(o,r,d,l,h=0):
 e=to(r);n={};t=ts(o,e,d,l)
 for(i,g)in e.items():
  if i in t:s=t[i]
  else:a=o[i];u=d.get(i,{});s=W[g].encode(i,a,u,l)
  n[i]={f:p.cpu()for(f,p)in s.items()}
 return tr(n)
def tn(i,a,u):return a,u
def ts(o,e,d,l):
 p={}
 for(i,g)in e.items():
  if g in('attn','mlp')and o[i].ndim==2 and o[i].numel()>65536:n,Q=o[i].shape;p.setdefault((g,n,Q),[]).append(i)
 h={}
 for((g,m,m),c)in p.items():s=[tn(i,o[i],d.get(i,{}))for i in c];t,u=[a for(a,m)in s],[w for(m,w)in s];r=W[g];h|=zip(c,r.V(c,t,u,l),strict=True)
 return h
def tr(n):return n
def th(n,l):return aK(aO(n,l),l)
def tl(data,o):
 t=2**20+sum(8*a.numel()+4096 for a in o.values())
 try:return aP(aL(data,t))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s)[:99]!r}")from s
def td(i,s,g,t):a=W[g].decode(i,s,t);return a
def tc(n,o,r):
 e=to(r)
 if n.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(i,g)in e.items():
  try:a=tu(i,n[i],g,o[i].dtype)
  except Exception as s:raise ValueError(f"the artifact's {i} cannot be decoded: {s!r}")from s
  if a.shape!=o[i].shape:raise ValueError(f"{i}: shape {[*a.shape]}, wanted {[*o[i].shape]}")
  o[i].copy_(a)
def tu(i,s,g,t):return td(i,s,g,t)
class tm:
 def __init__(o,t):
  o.rank=p;o.x=p==0;i('logs').mkdir(exist_ok=True);o.path=i('logs',t+'.txt')
  if o.x and not Y:o.path.write_text('')
  m.excepthook=a(tf,o.path);faulthandler.register(signal.SIGTERM,o.path.open('a'),chain=True)
 def __call__(o,t):
  if o.x:
   print(t,flush=True)
   with o.path.open('a')as n:print(t,file=n)
 def H(o,a):
  if o.x:o(f"error: {a}")
  elif a not in o.path.read_text():
   with o.path.open('a')as n:print(f"rank {o.rank}: error: {a}",file=n)
def tf(path,kind,s,trace):
 with path.open('a')as n:traceback.print_exception(s,file=n)
 m.__excepthook__(kind,s,trace)
def tp(a):
 n=O.sha256(i(m.argv[0]).read_bytes()).hexdigest();o=f"hardware:{Q.uname().machine} CPU, {e.get_num_threads()} threads"
 if d.type=='cuda':o=subprocess.getoutput('nvidia-smi')
 a(f"Running Python {m.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{o}")
def B():return len(i(m.argv[0]).read_bytes())
oK='final_model.pt'
def C():return W['mlp'].name
def tg():return i(f"final_model.{C()}.ptz")
def tw(t,n):
 o=s(t.model.state_dict(),t.parameters)
 if p==0:i('final_export.pt').unlink(missing_ok=True);D(a(e.save,o),'final_model.pt')
 d=tk(t,n)
 if p==0:h=d,t.ledger.done,t.phases,t.failed,t.a.begin_ms;D(a(e.save,h),'final_export.pt')
 ty(t,o,d)
def ty(t,o,d):
 a=t.validate();t.a.end('diagnostic','val');t.log(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.w:.8f} eval_time:{a.G:.0f}ms")
 if p==0:tj(t,o,d)
 g(.0);tz(t)
def D(t,c):
 o=i('final_model.tmp')
 try:
  t(o)
  with o.open('rb')as n:Q.fsync(n.fileno())
  o.replace(c)
 finally:o.unlink(missing_ok=True)
def tb(t):
 o=s(t.model.state_dict(),t.parameters);g=tv('final_model.pt');h=tv('final_export.pt');n=[i for i in o if i not in g or g[i].shape!=o[i].shape]
 if n:raise ValueError(f"final_model.pt is of another model: {n[0]} is missing or has another shape")
 for(i,a)in o.items():a.copy_(g[i])
 d,e,t.phases,t.failed,t.a.begin_ms=h;t.ledger.done.update(e);t.a.B(t.a.begin_ms);ty(t,o,d)
def tv(c):
 try:return e.load(c,d,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{c} is damaged: {str(s)[:99]!r}")from s
def tk(t,n):
 d={};t.training_data=False
 if t.training_data:K()
 d,o=eN(t)
 if t.training_data:tx(t,n)
 t.a.end('calibration','none'+f" batches:{o}");t.training_data=False;return d
def tx(t,n):
 o=1e3*Z;ou(t.ledger);K();s=g(om(n));t.a.B(s)
 if 0<o<s:t.W(f"what reads training data ended at {s:.0f}ms, after the {o:.0f}ms of max_wallclock_seconds: build with more time in reserve")
def tj(t,o,d):n=ti(o,t.parameters,d,t.ledger,B());t.a.end('quantize','none');f=th(n,t.ledger);t.a.end('compress','none');D(a(i.write_bytes,data=f),tg());s=f"{C()}+lzma";t.log(f"Serialized model: {i(oK).stat().st_size} bytes\nCode size: {B()} bytes\nSerialized model {s}: {len(f)} bytes\nTotal submission size {s}: {len(f)+B()} bytes")
def tq(t):
 r=t.parameters;o=s(t.model.state_dict(),r)
 for a in o.values():a.zero_()
 f=tg().read_bytes();n=O.sha256(f).hexdigest()
 if ee:
  e=''.join(c.read_text()for c in i('logs').glob('*.txt'))
  if'artifact_sha256:'in e and n not in e:raise ValueError('the artifact is not that of the logs in logs/')
 t.log('artifact_sha256:'+n);tc(tl(f,o),o,r)
def tz(t):
 n=C()
 if d.type=='cuda':e.cuda.reset_peak_memory_stats()
 tq(t);t.a.end('decode','none');a,o=A(t,eZ(len(t.i)));t.a.end('score','val');tA(t,f"{n}_lzma_roundtrip",a);a,o=A(t,aX(len(t.i)));t.a.end('score','val');tA(t,f"{n}_sliding_window",a);eY(o);t.ledger.count('sliding_eval','targets',a.i);t.log(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def tA(t,s,a):t.log(f"final_{s} val_loss:{a.val_loss:.4f} val_bpb:{a.w:.4f} eval_time:{a.G:.0f}ms\nfinal_{s}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.w:.8f}")
def tB(t):
 o=[d.m for d in u if d.name not in t.phases];a=False
 for i in oQ:
  n=t.ledger.et(i)
  if n and i not in o:t.log(f"receipt {i}: {n}")
  else:t.log(f"error: plugin {i} did nothing");a=p==0
 return a
class Progress(o):step:o;X:o;F:o;E:o;en:o;n:o
class Scalars(o):n:o;Q:o;momentum:o
def tC(n,s,r):t=s/r if r>0 else n/max(c,1);return Progress(n,c,s,r,t,1.)
class Context(o):
 ids:o;phases:o;training:o;g:o;memo:o;fields:o;y:o;observe:o;ledger:o
 def t(o,n,t,s=1):
  if o.ledger is not None:o.ledger.count(n,t,s)
def E(n):return l.rms_norm(n,(n.size(-1),),eps=1.1920929e-07)
def tD(n):return l.pad(n[:,:-1],(0,0)*(n.dim()-2)+(1,0))
def F(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 d=a.fields['documents'];return l.pad(d[:,1:]!=d[:,:-1],(1,0))
def tE(h,s,e,t,i,a):
 for d in oT:s=d(h,s,e,t,i,a)
 return s
def tF(h,s,n,e,t,i,a):
 s=tE(h,s,e,t,i,a)
 if a.observe is not None:a.observe(e,t,n)
 return G(l.linear(n,s.to(n.dtype)),n,e,i,a)
def G(r,n,o,i,a):
 if a.y is not None and o in a.y.sites:r=r+a.y.delta(n,o,i)
 return r
def tG(o,t,a):
 if'rope'not in a.memo:h=o.size(1);n=o.size(3);r=o.device;i=t**(-e.arange(0,n,2,dtype=e.float32,device=r)/n);l=e.outer(e.arange(h,dtype=e.float32,device=r),i);a.memo['rope']=l.cos(),l.sin()
 c,m=(d[None,:,None,:].to(o.dtype)for d in a.memo['rope']);s,f=o.chunk(2,-1);return e.cat((s*c+f*m,f*c-s*m),-1)
class GPT(R.Module):
 def __init__(o,r,f):super().__init__();o.records=r;ey(o,r,f)
 def matrices(o):return s(dict(o.named_parameters()),o.records)
 def h(o,n,e,t,i,a):return tF(o,a.g[f"blocks.{t}.{e}.weight"],n,e,t,i,a)
 def stem(o,ids,ctx):n=l.embedding(ids,ctx.g['tok_emb.weight']);n=G(n,n,'embed',0,ctx);n=n+ae(ids,ctx);n=E(n);n=aq(n,ctx);return n
 def d(o,r,a):n=o.stem(r,a);return E(aj(o,n,n,a))
 def logits(o,x,ctx):
  s=aG(o,x,ctx)
  for d in oO:s=d(o,s,ctx)
  return s
 def forward(o,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):t=fields or{};i={};fields={**i,**t};a=Context(ids,phases,o.training,o.matrices(),{},fields,adapter,observe,ledger);n=o.d(ids,a);s=o.logits(n,a);f=at(s,targets,reduction,a);return f
def tH(t):
 t=i(t);o=sorted(c for c in t.parent.glob(t.name)if('_bytes_'in c.name)==('_bytes_'in t.name))
 if not o:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return o
def tI(c):
 l=i(c).stat().st_size;o=P.fromfile(c,'<i4',3).tolist()
 if l<=1024 or o!=[20240520,1,(l-1024)/2]:raise ValueError(f"{c}: {l} bytes and header {o}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return o[2]
def H(c):
 a=P.memmap(c,'<u2','r',1024,tI(c))
 if a.max()>=1024:raise ValueError(f"{c}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tJ(t):
 a=P.concatenate([H(c)for c in tH(t)])
 if len(a)<=4096:raise ValueError(f"{t}: {len(a)} tokens, wanted at least 4097")
 return e.from_numpy(a[:(len(a)-1)//4096*4096+1])
class tK:
 def __init__(o,a):o.log=a;o.begin_ms=.0;o.N=o.C=r.perf_counter()
 def B(o,s):o.N=r.perf_counter()-s/1e3
 def end(o,name,data):t=1e3*(r.perf_counter()-o.N);o.log(f"stage:{name} begin:{o.begin_ms:.0f}ms end:{t:.0f}ms data:{data}");o.begin_ms=t;o.C=r.perf_counter()
 def K(o,a):
  if r.perf_counter()>o.C+10:o.C=r.perf_counter();o.log(a)
class tL:
 def __init__(o,r,a,l):o.parameters=r;o.log=a;o.ledger=l;o.phases=();o.preparing='';o.a=tK(a);o.failed=False;o.training_data=not(ee or Y);o.p=16;f=e.bfloat16 if d.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;o.model=GPT(r,f);ev(o.model,r,l);o.forward=ej(o.model);t=i(X,'fineweb_val_*.bin');o.i=tJ(t);aS(l);n=O.sha256(o.i.numpy().data).hexdigest();a(f"val_loader:shards pattern={t} tokens:{len(o.i)-1}\nval_sha256:{n}")
 def z(o,l):t=i(X,'fineweb_train_*.bin');aU(t,l)
 def j(o):
  if not o.training_data:raise ValueError('training data are closed: training time is over')
  a=aW();n,r=(l.to(d,non_blocking=True)for l in a);return n,r,{}
 def W(o,a):o.log(f"error: {a}");o.failed=True
 def A(o):
  if not u:return()
  return tuple(d.name for d in u if d.L and d.name in o.phases)
 def validate(o):return A(o,eZ(len(o.i)))[0]
def tM(p):
 o=[()]
 for d in p:o+=[(*s,d.name)for s in o]
 return o
def tN(t):
 h,l=t.model,t.ledger;n,r,c=t.j();n,r=n[:1,:512],r[:1,:512];c={i:p[:1,:512]for(i,p)in c.items()};o=tuple(d.name for d in u);h(n,r,phases=o,fields=c,ledger=l).backward()
 for s in t.parameters:a=sum(h.get_parameter(i).grad is not None for i in s.u());l.count(s.m,'trained tensors',a)
 h.zero_grad()
def tO(t):
 o=t.model.state_dict();r={i:a.clone()for(i,a)in o.items()};d=ex(t.model,t.parameters);f=k();t.z(f);p=u
 for s in tM(p):
  for n in range(20):tT(t,d,s,Scalars(1.,1.,.9),f);t.log(' '.join((f"warmup_step:{n+1}/20",*s)))
 for(i,a)in o.items():a.copy_(r[i])
 e.manual_seed(et);t.z(t.ledger)
def tP(r):
 try:eR();eh();l=k();a=tm(w(oU)[0])
 except(OSError,ValueError)as s:print(f"error: {s}",file=m.stderr);m.exit(2)
 e.manual_seed(et);e.backends.cuda.matmul.allow_tf32=True
 if Z==0:tR()
 tp(a);a('plugins:'+' '.join(oQ));t=tQ(r,a,l)
 if t.training_data:
  tS(t);tN(t);tO(t);n=tW(t)
  try:tw(t,n)
  except(OSError,ValueError)as s:a.H(str(s));m.exit(f"error: rank {p}: {s}")
 o=not ee and(tB(t)or t.failed);el()
 if o:m.exit(1)
def tQ(r,a,l):
 try:
  t=tL(r,a,l);eE(t)
  if Y:tb(t)
  elif ee:t.phases=tuple(d.name for d in u);tz(t)
  else:t.z(k());eQ(t)
  return t
 except(OSError,ValueError)as s:
  a.H(str(s))
  if not Y:el()
  m.exit(2)
def tR():Q.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tS(t):t.log(f"model_params:{sum(a.numel()for a in t.model.parameters())}\nworld_size:{h} grad_accum_steps:{8//h}\nseed:{et}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{c} warmup_steps:20 max_wallclock_seconds:{Z:.3f}")
def tT(t,d,p,i,l):
 o=8//h;e=.0
 for m in range(o):n,r,c=t.j();f=t.forward(n,r,phases=p,fields=c)/o;e+=f.detach();f.backward()
 d.step(i,l);return e
def tU(t,n,s,r):
 o=tC(n,s,r);i=Scalars(1.,1.,.0)
 for e in oR:i=e(o,i,t.ledger)
 for d in u:
  if d.name not in t.phases and d.start(o._replace(n=i.n)):t.phases=tuple(a.name for a in u if a.name in t.phases or a is d);t.ledger.r(d.m,f"on at step {n}");t.log(f"phase {d.name} on at step:{n} train_time:{s:.0f}ms")
 return i
def tV():return 1e3*Z
def tW(t):
 d=ex(t.model,t.parameters);oe(d.b);r=tV();n=0;s=.0;K()
 while True:
  l=n==c or 0<r<=s
  if l or oW>0 and n%oW==0:
   ou(t.ledger);a=t.validate();tX(t,n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.w:.4f}",s)
   if l:break
   K()
  i=tU(t,n,s,r);f=tT(t,d,t.phases,i,t.ledger);n+=1;ot(d.b,n,i);s=g(om(n))
  if oV>0 and(n<=10 or n%oV==0):
   tX(t,n,f"train_loss:{f:.4f}",s)
   if f!=f:raise ValueError('the training loss is not a number')
 if n<c:t.log(f"stopping_early: wallclock_cap train_time:{s:.0f}ms step:{n}/{c}")
 o=e.cuda.max_memory_allocated()>>20;h=e.cuda.max_memory_reserved()>>20;t.log(f"peak memory allocated: {o} MiB reserved: {h} MiB");oa(d.b,t.ledger);t.a.B(s);t.a.end('train','train');return n
def tX(t,n,o,s):t.log(f"step:{n}/{c} {o} train_time:{s:.0f}ms step_avg:{s/max(n,1):.2f}ms")
def tY(n,s,o,a):a.t('additive_skips','skips');return n+a.g['skip_weights'][o].to(n.dtype)*s
def tZ(t,a):
 n=e.bitwise_xor(36313*t[:,1:],27191*t[:,0:-1]);o=l.pad(n%3071,(1,0),value=3071);s=F(a)
 if s is not None:i=s;o=o.masked_fill(i,3071)
 return o
def ae(t,a):a.t('bigram_hash','lookups');d=a.g['bigram.embed.weight'];n=l.embedding(tZ(t,a),d);o=l.linear(n,a.g['bigram.proj.weight'].to(n.dtype));return o*a.g['bigram.scale'].to(n.dtype)
def at(o,t,reduction,a):a.t('cross_entropy','losses');f=l.cross_entropy(o.flatten(0,1).float(),t.flatten(),reduction=reduction);return f.view_as(t)if reduction=='none'else f
def aa(h,o,t,i,a):a.t('leaky_relu2','layers');n=l.leaky_relu(h.h(o,'mlp.fc',t,i,a),.5).square();return h.h(n,'mlp.proj',t,i,a)
def ao(o,t,a):a.t('ln_scale','branches');s=(t+1)**-.5;return o*s
def ai(length):o=max(length/1024,1.)**(16/14);return 1e4*o
def an(o,a):a.t('ntk_rope','rotations');h=a.fields['segments'][0].size(1)if'segments'in a.fields else o.size(1);t=tG(o[...,:16],ai(h),a);return e.cat((t,o[...,16:]),-1)
def I(tensor,generator,ledger):
 if min(tensor.shape)>=64:R.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:o=tensor.shape[-1]**-.5;tensor.uniform_(-o,o,generator=generator)
def ar(model,n,d,o,t,i,ctx):
 if t<6:return n,d
 ctx.t('pko','layers');r=d[...,16:];f=e.cat((r[:,:1],r[:,:-1]),dim=1);s=F(ctx)
 if s is not None:f=e.where(s[:,:,None,None],r,f)
 return n,e.cat((d[...,:16],f),dim=-1)
def ah(model,n,d,o,t,i,ctx):ctx.t('qk_gain','layers');s=ctx.g[f"blocks.{t}.attn.q_gain"].to(n.dtype);return n*s[:,None],d
def al(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ad(h,n,d,o,t,i,a):return ac(h,n,d,o,t,i,a)
def ac(h,n,d,o,t,i,a):
 if'attention'in a.fields:l=a.fields['attention'];r=l(h,n,d,o,t,i,a);return r
 return J(n,d,o,t,a)
def au(h,o,t,i,a):
 s=h.h(o,'attn.c_q',t,i,a);m=h.h(o,'attn.c_k',t,i,a);f=h.h(o,'attn.c_v',t,i,a);f=aI(f,t,a);s=an(E(e.unflatten(s,2,(8,-1))),a);m=an(E(e.unflatten(m,2,(4,-1))),a);f=e.unflatten(f,2,(4,-1))
 for d in(ar,ah):s,m=d(h,s,m,o,t,i,a)
 r=ad(h,s,m,f,t,i,a);r=aJ(r,f,t,a);r=h.h(r.flatten(2),'attn.proj',t,i,a);return G(r,o,'attn',i,a)
def am(n,d,o,i,a):
 s=n.transpose(1,2);m=d.transpose(1,2);f=o.transpose(1,2)
 if i<0 or i>=s.size(2)-1:h=s.size(1)!=m.size(1);return l.scaled_dot_product_attention(s,m,f,is_causal=True,enable_gqa=h).transpose(1,2)
 return af(n,d,o,ap(s.size(2),i,s.device,a))
def af(n,d,o,u):s=n.transpose(1,2);m=d.transpose(1,2);f=o.transpose(1,2);t=s.size(1)//m.size(1);m=m.repeat_interleave(t,1);f=f.repeat_interleave(t,1);return l.scaled_dot_product_attention(s,m,f,attn_mask=u).transpose(1,2)
def ap(length,i,device,a):
 f='window',i
 if f not in a.memo:o=e.arange(length,device=device);n=o[:,None]-o[None,:];a.memo[f]=(n>=0)&(n<=i)
 u=a.memo[f];return u
def ag(n,e,t,a):o=a.g[f"blocks.{t}.resid_mix"].to(n.dtype);return o[0]*n+o[1]*e
def aw(n,t,a):o=E(n);o=ao(o,t,a);return o
def ay(h,o,t,i,a):n=au(h,o,t,i,a);return a.g[f"blocks.{t}.attn_scale"].to(o.dtype)*n
def ab(h,o,t,i,a):n=aa(h,o,t,i,a);n=G(n,o,'mlp',i,a);return a.g[f"blocks.{t}.mlp_scale"].to(o.dtype)*n
def av(h,n,e,t,i,a):s=ag(n[0],e,t,a);s=s+ay(h,aw(s,t,a),t,i,a);return s+ab(h,aw(s,t,a),t,i,a),
def ak(n,s,o,t,a):
 if s is None:return n
 return tY(n[0],s,o,a),*n[1:]
def ax(h,n,e,a):
 f,s=aH(a.phases);a.t('unet_plan','steps over 11 layers',len(f)+len(s));r=[]
 for(i,t)in enumerate(f):n=av(h,n,e,t,i,a);r.append(n[0])
 for(o,t)in enumerate(s):n=ak(n,r.pop()if r else None,o,t,a);n=av(h,n,e,t,len(f)+o,a)
 return n
def aj(h,o,t,a):a.t('sequential_wiring','walks');return ax(h,(o,),t,a)[0]
def aq(o,a):
 a.t('smear_gate','blends');t=tD(o);s=F(a)
 if s is not None:t=t.masked_fill(s[...,None],0)
 n=e.sigmoid(a.g['smear.gate']).to(o.dtype);return(1-n)*o+n*t
def az():
 if d.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as o;return'flash-attn 3',o
 except ImportError:
  try:from flash_attn import flash_attn_func as o;return'flash-attn 2',o
  except ImportError:return aC(),None
def aA(t,n,d,o,i):r=t(n,d,o,causal=True,window_size=(i,0));return r[0]if isinstance(r,tuple)else r
def aB(t,n,d,o,i,a):
 if t is not None:return aA(t,n,d,o,i)
 return am(n,d,o,i,a)
def aC():o=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not o);e.backends.cuda.enable_flash_sdp(o);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if o else'cuDNN'
def aD():
 def o(a,head,query,key):return(query>=key)&(query-key<=256)
 return o
def aE():
 global S;i,S=az()
 if d.type!='cuda'or S is not None:return i
 for h in(4096,4096):o=aD();T[h]=create_block_mask(o,None,None,h,h,device=d)
 return f"flex_attention (windows), {i} (full)"
def J(s,m,f,t,a):
 o=t<6;a.t('swa','windowed layers'if o else'full layers');i=256 if o else-1
 if o and a.ledger is None and s.size(1)in T:h=s.size(2)!=m.size(2);n=s.transpose(1,2),m.transpose(1,2),f.transpose(1,2);r=flex_attention(*n,block_mask=T[s.size(1)],enable_gqa=h);return r.transpose(1,2)
 return aB(S,s,m,f,i,a)
def aF(model,o,ctx,cap):ctx.t('tanh_softcap','caps');return cap*e.tanh(o/cap)
def aG(h,o,a):a.t('tied_head','heads');return tF(h,a.g['tok_emb.weight'],o,'head',0,0,a)
def aH(p):a=tuple(range(11));return a[:len(a)//2],a[len(a)//2:]
def aI(o,t,a):
 if t not in(9,10):return o
 a.t('value_embedding','layers')
 if've'not in a.memo:n=l.embedding(a.ids,a.g['ve_shared.embed.weight']);n=l.linear(n,a.g['ve_shared.proj.weight'].to(n.dtype));a.memo['ve']=n*a.g['ve_shared.scale'].to(n.dtype)
 s=a.g[f"ve_layer_scales.{oS.index(t)}"];i=a.memo['ve'];return o+s.to(o.dtype)*i
def aJ(n,o,t,a):
 if t<0:return n
 a.t('xsa','layers');h=e.unflatten(n,2,(o.size(2),-1));s=l.normalize(o,dim=-1)[:,:,:,None,:];return(h-(h*s).sum(-1,keepdim=True)*s).flatten(2,3)
def aK(data,l):i=lzma.compress(data,preset=9);l.r('lzma',f"{len(data)} -> {len(i)} bytes");return i
def aL(data,t):
 s=lzma.LZMADecompressor(memlimit=2**27);o=s.decompress(data,t)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return o
def aM(n):o=io.BytesIO();t={m.intern(i):{m.intern(f):l for(f,l)in s.items()}for(i,s)in n.items()};e.save(t,o);return o.getvalue()
def aN(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aO(n,l):f=aM(n);l.r('torch_save',f"{len(n)} tensors in {len(f)} bytes");return f
def aP(data):return aN(data)
def aQ():
 try:o=SentencePieceProcessor(ea)
 except(OSError,RuntimeError)as s:raise OSError(f"{ea}: not a SentencePiece model")from s
 if len(o)>1024:raise ValueError(f"{ea} has {len(o)} pieces, wanted at most vocab_size=1024")
 if o.piece_to_id('\u2581')==o.unk_id():raise ValueError(f"{ea}: U+2581 is not a piece of its own")
 return o
def aR(o):
 n=[(0,0,1)]*1024
 for t in range(len(o)):
  if not(o.is_control(t)or o.is_unknown(t)or o.is_unused(t)):m=o.id_to_piece(t);a=m.startswith('\u2581');n[t]=1 if o.is_byte(t)else len(m.encode())-3*a,a,0
 return e.tensor(n).T
def aS(l):
 global ic,il,oX,ih
 if any(i(X).glob('*_bytes_*')):raise ValueError(f"{X}: it has byte side files, build with the plugin that reads them")
 o=aR(aQ());ih,il,ic=o.to(d);oX=l
def aT(t,o,n):oX.count('sentencepiece_bytes','targets',o.numel());a=ih[o]+(il[o]&~ic[t]);return a
def aU(t,l):
 global eo,ie,oY,ei,oZ;eo=tH(t)
 for c in eo:tI(c)
 oY=p;oZ=h;ie=l;ei=H(eo[0])
def aV(a):
 global ei;s=[]
 while a>0:
  if not len(ei):eo.append(eo.pop(0));ei=H(eo[0])
  s.append(ei[:a]);ei=ei[a:];a-=len(s[-1])
 return P.concatenate(s)
def aW():t=aV(oZ*98305).reshape(oZ,-1)[oY];t=e.from_numpy(t.astype(int));ie.count('sequential_loader','batches');return t[:-1].reshape(-1,4096),t[1:].reshape(-1,4096)
def aX(o):a=min(64,4096);m=o-1;n=range(0,max(m-(4096-a),1),a);return[Span(t,min(t+4096,m),0 if t==0 else 4096-a)for t in n]
def aY(p):global it;s=[{'params':t,'spec':d}for(d,t,c)in p];it=e.optim.AdamW(s,betas=(.9,.95),eps=1e-08,fused=True)
def aZ(i,l):
 for t in it.param_groups:t['lr']=t['spec'].lr*i.n;t['weight_decay']=t['spec'].weight_decay*i.Q
 it.step();l.count('adam','steps')
@e.no_grad()
def oe(t):global en,ia;ia=0;en=[a.detach().float().clone()for a in t]
@e.no_grad()
def ot(t,p,i):global ia;ia+=1;e._foreach_mul_(en,.997);e._foreach_add_(en,[a.detach().float()for a in t],alpha=1-.997)
@e.no_grad()
def oa(t,l):
 for(a,o)in zip(t,en,strict=True):a.copy_(o)
 l.count('ema','updates',ia)
def oo(t,names,ledger,max_norm):R.utils.clip_grad_norm_(t,max_norm);ledger.count('grad_clip','steps')
def oi(o,i,ledger,start,final,steps):a=min(o.step/steps,1.)if steps>0 else 1.;r=(1-a)*start+a*final;ledger.r('momentum_warmup',f"momentum {r:.4f} at step {o.step}");return i._replace(momentum=r)
def on(tensor,o,names,lr,i,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*i.Q);ledger.count('muon_weight_decay','tensors decayed')
def os(n,steps,scale_first):
 t=n.shape[-2]>n.shape[-1]
 if t:n=n.mT
 n=n/(n.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(steps):o=n@n.mT;a=2.0315*o@o if scale_first else 2.0315*(o@o);n=3.4445*n+(-4.775*o+a)@n
 return n.mT if t else n
class MuonBank(o):weight:o;names:o;Z:o;full:o;M:o;momentum:o;k:o
def oh(t,c):
 global es,iu;iu={};es=[];I=e.bfloat16 if d.type=='cuda'else e.float32
 for(s,u)in sorted(zip(t,c,strict=True),key=lambda k:-k[0].numel()):*m,n,Q=s.shape;o=-(-len(u)//h);f=(*u,*['']*o*h)[o*p:][:o];v=[(l,n,Q)for l in(o*h,o)];i,a=[e.zeros(w,dtype=I,device=d)for w in v];g,r=[e.zeros(w,dtype=e.bfloat16,device=d)for w in v];es.append(MuonBank(s,u,f,i,a,r,g))
def ol():
 global ii;ii=[]
 for t in es:n=ec(t.weight).bfloat16();t.full.flatten()[:n.numel()].copy_(n.flatten());ii.append(em(t.M,t.full))
def od(i,l):
 s=[]
 for(t,a)in zip(es,ii,strict=True):
  ep(a);r=h;n=(t.M/r).bfloat16();o=eC(n,t.momentum,i.momentum);o=ez(o,t.Z);s.append((t,ef(t.k,o),o))
  if len(s)>1:oc(*s.pop(0),i,l)
 for e in s:oc(*e,i,l)
def oc(t,a,o,i,l):ep(a);s=t.weight;n=t.k.flatten()[:s.numel()].view_as(s);eA(s,n,t.names,eD(s),i,l);l.count('parallel_muon','bank updates');l.count('newton_schulz','matrices',t.k.size(0))
def K():global ir;ir=r.perf_counter()-U
def ou(l):
 global U
 if e.cuda.is_available():e.cuda.synchronize()
 U=r.perf_counter()-ir;l.r('wall_clock',f"{U:.3f} seconds")
def om(n):return 1e3*(r.perf_counter()-ir)
def of(o,length):
 if length<=0:return 1.
 if o.E>0:t=length*(o.F/max(o.step,1));return min(max(o.E-o.F,.0)/max(t,1e-09),1.)
 a=o.X-o.step;return a/length if 0<a<=length else 1.
def op(o,i,ledger,length):t=of(o,length);ledger.r('warmdown_iters',f"multiplier {t:.4f} at step {o.step}");return i._replace(n=i.n*t)
def og(model,weight,e,t,i,ctx,half):
 if not e.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.t('bank_qat','matrices');r,n=eG(weight.detach().float(),half);return weight+(q(r,n,weight.dtype)-weight).detach()
def ow(o,threshold):return o.n<threshold
class Trial(o):codes:o;step:o;error:o
class oy:
 name='int6'
 def __init__(o,t):o.floor=.03225806451612903;o.J=t
 def encode(o,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');s,e=tensor.float(),None
  for n in eH(s,o.floor):t=k()if e else ledger;r=o.J(name,s,n,31,statistics,t);e=ov(e,ob(s,r,n,statistics))
  return{'codes':e.codes,'step':e.step}
 def V(o,c,t,d,l):
  l.count('clip_search','tensors quantized',len(c));g=[a.float()for a in t];p=[eH(s,o.floor)for s in g];e=[None]*len(c);z=o.J
  for i in range(len(p[0])):
   w=[f for(f,Q)in enumerate(p)if not any(Q[i].equal(m)for m in Q[:i])];E=[[I[f]for f in w]for I in(c,g)];u=[d[f]for f in w];Q=[p[f][i]for f in w];h=z.solve(*E,Q,31,u,k()if i else l)if w else[]
   for(f,r,n)in zip(w,h,Q,strict=True):e[f]=ov(e[f],ob(g[f],r,n,d[f]))
  return[{'codes':v.codes,'step':v.step}for v in e if v]
 def decode(o,name,parts,kind):return eK(parts,kind)
def ob(s,r,n,d):
 if'hessian'in d:m=d['hessian'].diagonal()==0;return Trial(r,n,eI(s.masked_fill(m,.0),r.masked_fill(m,0),n))
 return Trial(r,n,eI(s,r,n))
def ov(m,w):
 if m is None:return w
 o=w.error<m.error;return Trial(*(e.where(o,a,t)for(t,a)in zip(m,w,strict=True)))
class ok:
 es='hessian',
 def __init__(o):o.block=128
 def __call__(o,name,weight,step,h,d,ledger):return o.solve([name],[weight],[step],h,[d],ledger)[0]
 def solve(o,names,weights,steps,top,statistics,ledger):
  for(i,u)in zip(names,statistics,strict=True):
   if'hessian'not in u:raise ValueError(f"{i} has no input statistics, which gptq needs")
  z,E,Q=[],[],[]
  for(s,u)in zip(weights,statistics,strict=True):a,m=eL(u['hessian']);k=u['order']if'order'in u else a.diagonal().argsort(descending=True,stable=True);z.append(k);E.append(a[k][:,k]);Q.append(s.masked_fill(m,.0).T[k])
  I,w=ox(e.stack(E)),e.stack(Q);r,n=e.empty_like(w),e.stack(steps).float()
  for t in range(0,w.shape[1],o.block):oj(w,r,I,n,top,t,min(t+o.block,w.shape[1]))
  v=(~I.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(v));ledger.count('gptq','matrices',len(names)-sum(v));return[x(weights[f],n[f],top)if v[f]else r[f,k.argsort()].T.contiguous().to(e.int8)for(f,k)in enumerate(z)]
def ox(a):o,v=e.linalg.cholesky_ex(a);t,n=e.linalg.cholesky_ex(e.cholesky_inverse(o),upper=True);return e.where((v+n>0)[...,None,None],e.nan,t)
def oj(w,r,I,n,h,t,a):
 i=e.empty_like(w[:,t:a])
 for o in range(t,a):r[:,o]=(w[:,o]/n).round().clamp(-h,h);s=(w[:,o]-r[:,o]*n)/I[:,o,o,None];w[:,o:a]-=I[:,o,o:a,None]*s[:,None];i[:,o-t]=s
 w[:,a:]-=I[:,t:a,a:].mT@i
def oq(d,l):
 c=[(i,f)for i in sorted(d)for f in sorted(d[i])]
 for(n,o)in enumerate(w(c)):
  if o!=c:t=sorted({*c}^{*o})[0][0];raise ValueError(f"ranks {p} and {n} have statistics of different matrices, such as {t}")
 for(i,f)in c:ed(d[i][f]).div_(h);l.count('hessian_all_reduce',f"statistics over {h} ranks")
 return d
class L:
 name='int8'
 def __init__(o,half):o.half=half
 def encode(o,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if o.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,n=eJ(tensor.float());return{'codes':r,'step':n}
 def decode(o,name,parts,kind):return eK(parts,kind)
class Kept(o):keys:o;values:o;documents:o;ee:o
class oz:
 def __init__(o,n):o.p=n;o.O=[];o.v=0;o.l=None;o.f=None
 def S(o,l,f):o.l,o.f,o.v=l,f,0
 def __call__(o,model,s,k,f,t,i,ctx):
  if o.l is None or o.f is None:o.O.append(o.Y(s,k,f,t,ctx));return J(s,k,f,t,ctx)
  l=o.O[o.v];o.v+=1;c=s.size(1)//ctx.ids.size(1);p=e.arange(c,device=s.device);w,r=o.f*c+p,(o.f-o.l)*c+p;l.keys.index_copy_(1,w,k.index_select(1,r));l.values.index_copy_(1,w,f.index_select(1,r));g=o.l*c+e.arange(s.size(1),device=s.device);n=g[:,None]-e.arange(l.keys.size(1),device=s.device);u=(n>=0)&(n<l.ee)
  if l.documents is not None:d=ctx.fields['documents'];l.documents.index_copy_(1,w,d.index_select(1,r));u=u&(d[:,None,:,None]==l.documents[:,None,None,:])
  return oA(s,l.keys,l.values,u)
 def Y(o,s,m,f,t,a):
  h=m.size(1);c=dict(a.fields);d=c.pop('documents',None);p=a._replace(memo={},fields=c);u,g,i=e.zeros_like(s),e.zeros_like(m),e.zeros_like(f);i[:,0]=1;w=int((J(u,g,i,t,p)[0,:,0,0]>0).sum())
  if d is not None:l=h//2;c['documents']=(e.arange(h,device=s.device)>=l).long()[None];i=e.zeros_like(f);i[:,l-1]=1;r=J(u,g,i,t,p._replace(memo={}));v=not bool(r[0,l,0,0]>0);d=d.new_zeros(o.p,h)if v else None
  Q,I=(n.new_zeros(o.p,*n.shape[1:])for n in(m,f));return Kept(Q,I,d,w)
def oA(n,o,t,u):p=o.size(2);c=n.size(2)//p;s=e.unflatten(n,2,(p,c)).transpose(1,2).flatten(2,3);u=u.repeat_interleave(c,-2);r=l.scaled_dot_product_attention(s,o.transpose(1,2),t.transpose(1,2),attn_mask=u);return e.unflatten(r,2,(-1,c)).transpose(1,2).flatten(2,3)
def M(t,r,c,f):return Context(r,t.A(),False,t.model.matrices(),f,c,None,None,None)
def N(t,r):return{}
class oB:
 def __init__(o,t,n):o.session=t;o.q=n;o.temperature=.8;o.ids=e.zeros_like(n,dtype=e.long);o.ids[:,0]=(n[:,0]*1024).long();o.P=e.zeros_like(n);o.f=o.ids.new_zeros(1);o.attention=oz(len(n));s=o.ids[:1];a=M(t,s,{**N(t,s),'attention':o.attention},{});t.model.d(s,a);o.rotations=a.memo.get('rope',())
 def write(o):
  p=o.q.size(1)-1
  if o.q.is_cuda and p>3:p=o.ea(p)
  for m in range(p):o.step()
  return o.ids
 def ea(o,p):
  t=e.cuda.Stream();t.wait_stream(e.cuda.current_stream())
  with e.cuda.stream(t):
   for m in range(3):o.step()
  e.cuda.current_stream().wait_stream(t);a=e.cuda.CUDAGraph()
  try:
   with e.cuda.graph(a):o.step()
  except RuntimeError as s:o.session.log(f"decoding without a CUDA graph: {str(s).splitlines()[0]}");return p-3
  for m in range(p-3):a.replay()
  return 0
 def step(o):h=o.session.model;m=min(8,o.ids.size(1));l=(o.f-(m-1)).clamp_min(0);t=l+e.arange(m,device=l.device);o.attention.S(l,o.f);r=o.ids.index_select(1,t);c={i:u.index_select(1,t)for(i,u)in N(o.session,o.ids).items()};f={'rope':tuple(d.index_select(0,t)for d in o.rotations)}if o.rotations else{};a=M(o.session,r,{**c,'attention':o.attention},f);n=h.d(r,a).index_select(1,o.f-l);s=h.logits(n,a)[:,0].float()/o.temperature;o.f.add_(1);p=oC(s,o.q.index_select(1,o.f));o.ids.index_copy_(1,o.f,p);o.P.index_copy_(1,o.f,s.log_softmax(1).gather(1,p))
 def U(o):
  e=.0
  for l in range(0,len(o.ids),8):r=o.ids[l:l+8];a=M(o.session,r,N(o.session,r),{});s=o.session.model.logits(o.session.model.d(r,a)[:,:-1],a).float();h=(s/o.temperature).log_softmax(2).gather(2,r[:,1:,None])[...,0];e+=(h-o.P[l:l+8,1:]).abs().sum().item()
  return e/o.ids[:,1:].numel()
def oC(s,o):t=s.softmax(1).cumsum(1)<=o;return t.sum(1,keepdim=True).clamp_max(s.shape[1]-1)
def oD(t):
 o=64//h;a=(p+1)*o
 for l in range(a-o,a,64):i=range(l,min(l+64,a));n=e.stack([oG(s)for s in i]);t.ledger.count('self_calibration','sequences',len(n));r=oE(t,n.to(d));yield from r[:,:-1].split(8)
def oE(t,n):
 s=oB(t,n);r=s.write();o=s.U()
 if o<.1:return r
 t.ledger.count('self_calibration','sequences without a cache',len(n));t.log(f"self_calibration: with kept keys scores are {o:.3f} nats off: whole forwards");return e.cat([oF(t,l)for l in n.split(8)])
def oF(t,n):
 r=e.zeros_like(n,dtype=e.long);r[:,0]=(n[:,0]*1024).long()
 for f in range(1,n.shape[1]):s=oH(t,r,f-1);r[:,f]=oC(s/.8,n[:,f:f+1])[:,0]
 return r
def oG(s):return e.rand(4096,generator=eb(f"self_calibration {s}"))
def oH(t,r,f):a=M(t,r,N(t,r),{});return t.model.logits(t.model.d(r,a)[:,f:f+1],a)[:,0].float()
def oI():return Param('qo_bank',(22,512,512),'matrix','attn',(I,t),'banks',s=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(I,I),'banks',s=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(I,),'banks',s=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(t,),'banks',s=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',y,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',t,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',I,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(b,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(b,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',y,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',y,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',al,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',t,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(ek,std=.005),'tied_head','activation',D='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(ek,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(b,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',y,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',I,'value_embedding')
def oJ(t):t.preparing='swa';eF(t,aE())
oL=a(on,weight_decay=.04),
S=None
T={}
U=.0
oM=a(oo,max_norm=.3),
oN=Group('embed',.035,.04),Group('scalar',.025,.04)
oO=a(aF,cap=3e1),
oP=a(os,scale_first=False)
V=None
u=Phase('bank_qat',a(ow,threshold=.15),False,'bank_qat'),
oQ='adam','additive_skips','bank_qat','banks','bigram_hash','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','pko','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oR=a(oi,final=.99,start=.92,steps=1500),a(op,length=4000)
W={'attn':oy(ok()),'aux':L(True),'control':L(False),'embed':L(True),'mlp':oy(ok())}
oS=9,10
oT=a(og,half=True),
if __name__=='__main__':tP(oI())