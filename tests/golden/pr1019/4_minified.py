import faulthandler,hashlib as K,io,lzma,numpy as L,os as M,signal,subprocess,sys as u,time as r,torch as o,torch.distributed as l,torch.nn.functional as i,traceback
from functools import partial as n
from pathlib import Path as s
from sentencepiece import SentencePieceProcessor
from torch import nn as N
from typing import NamedTuple as a
def et():
 a=M.environ.get;n=int(a('RANK',0));e=int(a('WORLD_SIZE',1));s=int(a('LOCAL_RANK',0))
 if e<1 or 8%e:raise ValueError(f"WORLD_SIZE is {e}, wanted a divisor of 8 micro-batches")
 return n,e,s
def ea():
 global h,m,t;n,e,s=et();a='gloo';i=o.device('cpu')
 if o.cuda.is_available():a='nccl';i=o.device('cuda',s);o.cuda.set_device(i)
 if e>1:l.init_process_group(a)
 m=n;t=e;h=i
def eo():
 if t>1:l.destroy_process_group()
def ei(n):
 if t>1:l.all_reduce(n)
 return n
def f(value):
 F=[value]*t
 if t>1:l.all_gather_object(F,value)
 return F
def d(value):
 if t==1:return value
 a=o.tensor(value,dtype=o.float64,device=h);l.all_reduce(a,l.ReduceOp.MAX);return a.item()
def en(n):
 if n.grad is None:n.grad=o.zeros_like(n)
 return n.grad
def es(d):
 a=[en(n)for n in d]
 if t>1:
  i=o.cat([e.flatten()for e in a]);l.all_reduce(i);s=(i/t).split([e.numel()for e in a])
  for(e,f)in zip(a,s,strict=True):e.copy_(f.view_as(e))
def er(n,i):
 if t>1:return l.reduce_scatter(n,list(i.chunk(t)),async_op=True)
 n.copy_(i)
def eh(i,n):
 if t>1:return l.all_gather(list(i.chunk(t)),n,async_op=True)
 i.copy_(n)
def el(n):
 if n is not None:n.wait()
def ed(s,i):
 if not s.s:return i,
 t=range(s.shape[0]//len(s.s));return tuple(a.format(l)for a in s.s for l in t)
def w(r):
 h=[]
 for s in r:
  if s.s:
   t=range(s.shape[0]//len(s.s))
   for(a,c)in zip(s.s,s.init,strict=True):h+=[(a.format(l),c,s)for l in t]
  else:h+=[(i,s.init,s)for i in s.u()]
 return h
def ec(i,a):
 if i.startswith('blocks.')and i.endswith('.weight'):l,r=i[len('blocks.'):-len('.weight')].split('.',1);return r,int(l)
 return a,0
def eu(e,r,n):
 for s in r:
  u=n if s.dtype=='activation'else o.float32
  for i in s.u():
   *c,l=i.split('.');a=e
   for t in c:
    if t not in a._modules:a.add_module(t,N.ModuleList())
    a=a._modules[t]
   a.register_parameter(l,N.Parameter(o.empty(s.shape,dtype=u,device=h)))
def em(i):t=K.sha256(f"{V}:{i}".encode()).digest();return o.Generator().manual_seed(int.from_bytes(t[:7],'little'))
def ef(h,r,l):
 a=g(h.state_dict(),r)
 for(i,c,f)in w(r):n=o.empty(a[i].shape);c(n,em(i),l);a[i].copy_(n)
def g(a,r):
 d=[]
 for s in r:
  for i in s.u():d+=a[i].unbind()if s.s else[a[i]]
 return{i:n for((i,f,f),n)in zip(w(r),d,strict=True)}
def e(tensor,generator,ledger):tensor.zero_()
def p(tensor,generator,ledger):tensor.fill_(1.)
def y(tensor,generator,ledger,value):tensor.fill_(value)
def ep(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eg:
 def __init__(a,h,r):l=[(h.get_parameter(i),ed(s,i),s)for s in r for i in s.u()];a.tensors,a.names=b(l);a.replicated=[n for(n,c,s)in l if s.reduction=='replicated'];a.y,a.ea=b([w for w in l if w[2].O]);o,e=b([w for w in l if w[2].group=='matrix']);aZ(o,e);t=[(m,*b([w for w in l if w[2].group==m.name]))for m in oE];aQ(t)
 @o.no_grad()
 def step(a,scalars,ledger):
  for r in oD:r(a.tensors,a.names,ledger)
  oe();es(a.replicated);aR(scalars,ledger);ot(scalars,ledger)
  for n in a.tensors:n.grad=None
def b(l):return[n for(n,c,s)in l],[c for(n,c,s)in l]
def ew(e):
 if o.cuda.is_available():return o.compile(e,dynamic=False,fullgraph=True)
 return e
def ey(a):
 global P
 if P is None:P=ew(oG)
 return P(a.bfloat16(),5)
def eb(a,c):a=ey(a).contiguous();return a
def ev(n,a,c,e,i,l):ek(n,a,c,.025*i.r,e,i,l)
def ek(n,a,c,t,e,i,l):
 for r in oB:r(n,a,c,t,i,l)
 n.add_(a,alpha=-t*e)
def ex(e,a,r):a.mul_(r).add_(e);return e.add(a,alpha=r)
def ej(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eq(e):
 a=''
 try:oz(e)
 except(OSError,ValueError)as s:a=f"{e.preparing}: {s}"
 for(n,t)in enumerate(f(a)):
  if t:raise ValueError(f"{t} (on rank {n})"if n else t)
def ez(e,t):
 if t is not None:e.log(f"prepared {e.preparing}: {t}")
class Param(a):
 name:a;shape:a;group:a;G:a;init:a=None;X:a='';dtype:a='float32';layers:a=0;s:a=();reduction:a='replicated';A:a='';O:a=True;et:a=True;export:a='yes';l:a=0
 def u(a):return[a.name.format(l)for l in range(a.l,a.layers)]or[a.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class v:
 def __init__(a):a.done={}
 def count(a,plugin,unit,number=1):a.done[plugin,unit]=a.done.get((plugin,unit),0)+number
 def c(a,n,t):a.done[n,'']=t
 def Z(a,n):return', '.join(f"{c} {e}".strip()for((i,e),c)in a.done.items()if i==n and c)
def eA(e,t,h):return(e/k(t)).round().clamp(-h,h).to(o.int8)
def k(t):return t[:,None]if t.ndim else t
def eB(r,t,e):return(r.float()*k(t).float()).to(e)
def eC(e,a):t=e.abs();n=max(a,o.finfo(o.float16).tiny);s=[o.quantile(t,r,1)for r in(.999,.9995,.9999,.99999)];return[(i/31).clamp_min(n).half()for i in(*s,t.amax(1))]
def eD(e,r,t):return(e-eB(r,t,o.float32)).square().mean()
def eE(e):
 if e.ndim==2:i=o.quantile(e.abs(),.9999984,1);t=(i/127).clamp_min(1/127);a=t.half()
 else:i=o.quantile(e.abs().flatten(),.9999984);a=t=i/127 if i>0 else i+1
 i=k(i);return eA(e.clamp(-i,i),t,127),a
def eF(s,e):
 if'kept'in s:return s['kept'].to(e)
 return eB(s['codes'],s['step'],e)
def eG(s):s=s.clone();a=s.diagonal();d=a==0;a[d]=1.;a+=.0201*a.mean();return s,d
class eH:
 def __init__(a):a.n={}
 def __call__(a,r,l,n):n=n.flatten(0,-2).float();e=(n.T@n).double();d=r,l;a.n[d]=a.n[d].add_(e)if d in a.n else e
@o.no_grad()
def eI(e):
 a=eH();F={};t=0;e.model.eval()
 for r in ob(e):eJ(e,r,(),a);t+=1;e.e.I(f"calibration: batch {t}")
 e.model.train()
 if not t:raise ValueError('calibration found no batch of tokens')
 h={}
 for(i,f,s)in w(e.parameters):
  d=ec(i,s.A)
  if d in a.n:h[i]={'hessian':a.n[d]/t}
 h=of(h,e.ledger);return{i:{d:g.float()for(d,g)in m.items()}for(i,m)in h.items()},t
def eJ(e,r,o,a):c={};e.model(r,r,phases=o,observe=a,fields=c)
def eK(r):return[i for(i,f,s)in w(r)if s.G in('attn','mlp')and s.export!='drop'and len(s.shape[bool(s.s):])==2 and s.shape[-1]*s.shape[-2]>65536]
@o.no_grad()
def eL(e):
 a=eH();t={};e.model.eval();o=tuple(m.name for m in()if m.scoring);eJ(e,e.k()[0][:1,:64],o,a);e.model.train();n=eK(e.parameters)
 for(i,f,s)in w(e.parameters):
  d=ec(i,s.A)
  if i in n and d not in a.n:raise ValueError(f"{i} needs input statistics, and the forward uses no matrix under its role {d[0]!r}")
  if i in n and d in t:raise ValueError(f"{i} and {t[d]} have the same role {d[0]!r}: wanted one matrix for each")
  t[d]=i
def x(i,a,e):
 t=M.environ.get(i,a)
 try:return e(t)
 except ValueError:raise ValueError(f"{i} is {t!r}, wanted a value like {a!r}")from None
def eM():global R,S,c,T,oK,U,V,W,oL,oM;a=M.environ.get;R=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');S='export'in u.argv;c=x('ITERATIONS',20000,int);T=x('MAX_WALLCLOCK_SECONDS',6e2,float);oK=a('RUN_ID',str(r.time_ns()));U='score'in u.argv;V=x('SEED',1337,int);W=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oL=x('TRAIN_LOG_EVERY',200,int);oM=x('VAL_LOSS_EVERY',1000,int)
class Score(a):val_loss:a;g:a;i:a;D:a
def eN(t):
 if t.numel():raise ValueError(f"target {t[0]} of the validation stream is not scored")
def eO(e,t):r=e.i[t].to(h,o.int64);n=r[:,:-1].contiguous();return n,r[:,1:].contiguous(),eP()
def eP():return{}
def eQ(e,a,w,t,u):
 i=t[:,1:];a[i[u]]=w;e.e.I(f"eval: batch {w}");n,r,c=eO(e,t)
 with o.set_grad_enabled(False):g=e.forward(n,r,phases=(),fields=c,reduction='none',adapter=None)
 l=aL(n,r,i.to(h));d=u.to(h);m=(g.detach().double()*16777216).round()/16777216;s=m*d,d,l*d;return g,o.stack([f.sum().double()for f in s])
def eR(a,e):
 if t>1:a=a.to(h);l.all_reduce(a,e)
 return a.cpu()
def eS(a,n,i):
 eN(1+(a[1:]==0).nonzero().flatten());m,t,u=ei(n).tolist()
 if t>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(m/t,m/.6931471805599453/u,int(t),1e3*(r.perf_counter()-i))
def eT(scored_at):
 if m==0:c=f"logs/{oK}.scores.npz";L.savez_compressed(c,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;l:a
def eU(a):return[Span(n,n+2048,0)for n in range(0,(a-1)//2048*2048,2048)]
def eV(a):return a[len(a)*m//t:len(a)*(m+1)//t]
def eW(f,s):t=o.are_deterministic_algorithms_enabled();n=f if t else eV(f);a=[n[e:e+s]for e in range(0,len(n),s)];return eV(a)if t else a
def eX(f,s):
 t=o.zeros(s,2049,dtype=o.int64);u=o.zeros(s,2048,dtype=o.bool)
 for(r,(n,i,l))in enumerate(f):t[r,:i+1-n]=o.arange(n,i+1);u[r,l:i-n]=True
 return t,u
def j(e,f):
 i=r.perf_counter();s=e.m;e.model.eval();a=o.zeros(len(e.i),dtype=o.int32);n=o.zeros(3,dtype=o.float64,device=h)
 for(c,d)in enumerate(eW(f,s),1):t,u=eX(d,s);n+=eQ(e,a,c,t,u)[1]
 e.model.train();a=eR(a,l.ReduceOp.MAX);return eS(a,n,i),a
def eY(r):return{i:s.G for(i,f,s)in w(r)if s.export!='drop'}
def eZ(a,r,u,l,h=0):
 e=eY(r);t={};c=tt(a,e,u,l)
 for(i,o)in e.items():
  if i in c:s=c[i]
  else:n=a[i];m=u.get(i,{});s=Q[o].encode(i,n,m,l)
  t[i]={d:g.cpu()for(d,g)in s.items()}
 return ta(t)
def te(i,n,m):return n,m
def tt(a,e,u,l):
 t={}
 for(i,o)in e.items():
  if o in('attn','mlp')and a[i].ndim==2 and a[i].numel()>65536:s,M=a[i].shape;t.setdefault((o,s,M),[]).append(i)
 h={}
 for((o,f,f),c)in t.items():r=[te(i,a[i],u.get(i,{}))for i in c];d,m=[n for(n,f)in r],[w for(f,w)in r];g=Q[o];h|=zip(c,g.R(c,d,m,l),strict=True)
 return h
def ta(t):return t
def to(t,l):return aC(aG(t,l),l)
def ti(data,a):
 e=2**20+sum(8*n.numel()+4096 for n in a.values())
 try:return aH(aD(data,e))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s)[:99]!r}")from s
def tn(i,s,o,e):n=Q[o].decode(i,s,e);return n
def ts(t,a,r):
 e=eY(r)
 if t.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(i,o)in e.items():
  try:n=tr(i,t[i],o,a[i].dtype)
  except Exception as s:raise ValueError(f"the artifact's {i} cannot be decoded: {s!r}")from s
  if n.shape!=a[i].shape:raise ValueError(f"{i}: shape {[*n.shape]}, wanted {[*a[i].shape]}")
  a[i].copy_(n)
def tr(i,s,o,e):return tn(i,s,o,e)
class th:
 def __init__(a,e):
  a.rank=m;a.v=m==0;s('logs').mkdir(exist_ok=True);a.path=s('logs',e+'.txt')
  if a.v and not S:a.path.write_text('')
  u.excepthook=n(tl,a.path);faulthandler.register(signal.SIGTERM,a.path.open('a'),chain=True)
 def __call__(a,e):
  if a.v:
   print(e,flush=True)
   with a.path.open('a')as n:print(e,file=n)
 def E(a,t):
  if a.v:a(f"error: {t}")
  elif t not in a.path.read_text():
   with a.path.open('a')as n:print(f"rank {a.rank}: error: {t}",file=n)
def tl(path,kind,s,trace):
 with path.open('a')as n:traceback.print_exception(s,file=n)
 u.__excepthook__(kind,s,trace)
def td(i):
 t=K.sha256(s(u.argv[0]).read_bytes()).hexdigest();a=f"hardware:{M.uname().machine} CPU, {o.get_num_threads()} threads"
 if h.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 i(f"Running Python {u.version}\nRunning PyTorch {o.__version__}\ncode_sha256:{t}\n{a}")
def q():return len(s(u.argv[0]).read_bytes())
oA='final_model.pt'
def z():return Q['mlp'].name
def tc():return s(f"final_model.{z()}.ptz")
def tu(e,t):
 a=g(e.model.state_dict(),e.parameters)
 if m==0:s('final_export.pt').unlink(missing_ok=True);A(n(o.save,a),'final_model.pt')
 u=tg(e,t)
 if m==0:h=u,e.ledger.done,e.phases,e.failed,e.e.begin_ms;A(n(o.save,h),'final_export.pt')
 tm(e,a,u)
def tm(e,a,u):
 n=e.validate();e.e.end('diagnostic','val');e.log(f"diagnostic pre-quantization post-ema val_loss:{n.val_loss:.8f} val_bpb:{n.g:.8f} eval_time:{n.D:.0f}ms")
 if m==0:ty(e,a,u)
 d(.0);tv(e)
def A(e,c):
 a=s('final_model.tmp')
 try:
  e(a)
  with a.open('rb')as n:M.fsync(n.fileno())
  a.replace(c)
 finally:a.unlink(missing_ok=True)
def tf(e):
 a=g(e.model.state_dict(),e.parameters);p=tp('final_model.pt');h=tp('final_export.pt');t=[i for i in a if i not in p or p[i].shape!=a[i].shape]
 if t:raise ValueError(f"final_model.pt is of another model: {t[0]} is missing or has another shape")
 for(i,n)in a.items():n.copy_(p[i])
 u,s,e.phases,e.failed,e.e.begin_ms=h;e.ledger.done.update(s);e.e.q(e.e.begin_ms);tm(e,a,u)
def tp(c):
 try:return o.load(c,h,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{c} is damaged: {str(s)[:99]!r}")from s
def tg(e,t):
 u={};e.training_data=False
 if e.training_data:G()
 u,a=eI(e)
 if e.training_data:tw(e,t)
 e.e.end('calibration','none'+f" batches:{a}");e.training_data=False;return u
def tw(e,t):
 a=1e3*T;oo(e.ledger);G();s=d(oi(t));e.e.q(s)
 if 0<a<s:e.S(f"what reads training data ended at {s:.0f}ms, after the {a:.0f}ms of max_wallclock_seconds: build with more time in reserve")
def ty(e,a,u):t=eZ(a,e.parameters,u,e.ledger,q());e.e.end('quantize','none');h=to(t,e.ledger);e.e.end('compress','none');A(n(s.write_bytes,data=h),tc());i=f"{z()}+lzma";e.log(f"Serialized model: {s(oA).stat().st_size} bytes\nCode size: {q()} bytes\nSerialized model {i}: {len(h)} bytes\nTotal submission size {i}: {len(h)+q()} bytes")
def tb(e):
 r=e.parameters;a=g(e.model.state_dict(),r)
 for n in a.values():n.zero_()
 h=tc().read_bytes();t=K.sha256(h).hexdigest()
 if U:
  i=''.join(c.read_text()for c in s('logs').glob('*.txt'))
  if'artifact_sha256:'in i and t not in i:raise ValueError('the artifact is not that of the logs in logs/')
 e.log('artifact_sha256:'+t);ts(ti(h,a),a,r)
def tv(e):
 t=z()
 if h.type=='cuda':o.cuda.reset_peak_memory_stats()
 tb(e);e.e.end('decode','none');n,a=j(e,eU(len(e.i)));e.e.end('score','val');tk(e,f"{t}_lzma_roundtrip",n);n,a=j(e,aP(len(e.i)));e.e.end('score','val');tk(e,f"{t}_sliding_window",n);eT(a);e.ledger.count('sliding_eval','targets',n.i);e.log(f"eval: peak memory allocated: {o.cuda.max_memory_allocated()>>20} MiB")
def tk(e,i,n):e.log(f"final_{i} val_loss:{n.val_loss:.4f} val_bpb:{n.g:.4f} eval_time:{n.D:.0f}ms\nfinal_{i}_exact val_loss:{n.val_loss:.8f} val_bpb:{n.g:.8f}")
def tx(e):
 a=[];t=False
 for i in oH:
  n=e.ledger.Z(i)
  if n and i not in a:e.log(f"receipt {i}: {n}")
  else:e.log(f"error: plugin {i} did nothing");t=m==0
 return t
class Progress(a):step:a;U:a;C:a;B:a;eo:a;r:a
class Scalars(a):r:a;N:a;momentum:a
def tj(t,s,l):e=s/l if l>0 else t/max(c,1);return Progress(t,c,s,l,e,1.)
class Context(a):
 ids:a;phases:a;training:a;p:a;memo:a;fields:a;w:a;observe:a;ledger:a
 def t(a,n,e,c=1):
  if a.ledger is not None:a.ledger.count(n,e,c)
def B(n):return i.rms_norm(n,(n.size(-1),),eps=1.1920929e-07)
def tq(n):return i.pad(n[:,:-1],(0,0)*(n.dim()-2)+(1,0))
def tz(t):
 if'starts'in t.fields:return t.fields['starts']
 if'documents'not in t.fields:return
 f=t.fields['documents'];return i.pad(f[:,1:]!=f[:,:-1],(1,0))
def tA(e):return e
def tB(e,n,r,l,s,t):
 e=tA(e)
 if t.observe is not None:t.observe(r,l,n)
 return C(i.linear(n,e.to(n.dtype)),n,r,s,t)
def C(r,n,a,s,t):
 if t.w is not None and a in t.w.sites:r=r+t.w.delta(n,a,s)
 return r
def tC(a,e,t):
 if'rope'not in t.memo:s=a.size(1);r=a.size(3);i=a.device;l=e**(-o.arange(0,r,2,dtype=o.float32,device=i)/r);c=o.outer(o.arange(s,dtype=o.float32,device=i),l);t.memo['rope']=c.cos(),c.sin()
 h,d=(f[None,:,None,:].to(a.dtype)for f in t.memo['rope']);n,u=a.chunk(2,-1);return o.cat((n*h+u*d,u*h-n*d),-1)
class GPT(N.Module):
 def __init__(a,r,n):super().__init__();a.records=r;eu(a,r,n)
 def matrices(a):return g(dict(a.named_parameters()),a.records)
 def h(a,n,r,l,s,t):return tB(t.p[f"blocks.{l}.{r}.weight"],n,r,l,s,t)
 def stem(a,ids,ctx):n=i.embedding(ids,ctx.p['tok_emb.weight']);n=C(n,n,'embed',0,ctx);n=n+tW(ids,ctx);n=B(n);n=ax(n,ctx);return n
 def d(a,r,t):n=a.stem(r,t);return B(ak(a,n,n,t))
 def logits(a,x,ctx):
  s=aq(x,ctx)
  for r in oF:s=r(a,s,ctx)
  return s
 def forward(a,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):e=fields or{};h={};fields={**h,**e};t=Context(ids,phases,a.training,a.matrices(),{},fields,adapter,observe,ledger);n=a.d(ids,t);s=a.logits(n,t);u=ar(s,targets,reduction,t);return u
def tD(e):
 e=s(e);a=sorted(c for c in e.parent.glob(e.name)if('_bytes_'in c.name)==('_bytes_'in e.name))
 if not a:raise ValueError(f"{e}: no shard matches, see DATA_PATH")
 return a
def tE(c):
 u=s(c).stat().st_size;a=L.fromfile(c,'<i4',3).tolist()
 if u<=1024 or a!=[20240520,1,(u-1024)/2]:raise ValueError(f"{c}: {u} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def D(c):
 t=L.memmap(c,'<u2','r',1024,tE(c))
 if t.max()>=1024:raise ValueError(f"{c}: token {t.argmax()} is {t.max()}, wanted an id below 1024")
 return t
def tF(e):
 t=L.concatenate([D(c)for c in tD(e)])
 if len(t)<=2048:raise ValueError(f"{e}: {len(t)} tokens, wanted at least 2049")
 return o.from_numpy(t[:(len(t)-1)//2048*2048+1])
class tG:
 def __init__(a,i):a.log=i;a.begin_ms=.0;a.K=a.z=r.perf_counter()
 def q(a,s):a.K=r.perf_counter()-s/1e3
 def end(a,name,data):e=1e3*(r.perf_counter()-a.K);a.log(f"stage:{name} begin:{a.begin_ms:.0f}ms end:{e:.0f}ms data:{data}");a.begin_ms=e;a.z=r.perf_counter()
 def I(a,t):
  if r.perf_counter()>a.z+10:a.z=r.perf_counter();a.log(t)
class tH:
 def __init__(a,r,i,l):a.parameters=r;a.log=i;a.ledger=l;a.phases=();a.preparing='';a.e=tG(i);a.failed=False;a.training_data=not(U or S);a.m=32;n=o.bfloat16 if h.type=='cuda'else o.float32;o._dynamo.config.recompile_limit=16;a.model=GPT(r,n);ef(a.model,r,l);a.forward=ew(a.model);e=s(R,'fineweb_val_*.bin');a.i=tF(e);aK(l);t=K.sha256(a.i.numpy().data).hexdigest();i(f"val_loader:shards pattern={e} tokens:{len(a.i)-1}\nval_sha256:{t}")
 def j(a,l):e=s(R,'fineweb_train_*.bin');aM(e,l)
 def k(a):
  if not a.training_data:raise ValueError('training data are closed: training time is over')
  d=aO();n,r=(f.to(h,non_blocking=True)for f in d);return n,r,{}
 def S(a,t):a.log(f"error: {t}");a.failed=True
 def validate(a):return j(a,eU(len(a.i)))[0]
def tI():a=[()];return a
def tJ(e):
 h,l=e.model,e.ledger;n,r,c=e.k();n,r=n[:1,:512],r[:1,:512];c={i:g[:1,:512]for(i,g)in c.items()};a=tuple(m.name for m in());h(n,r,phases=a,fields=c,ledger=l).backward()
 for s in e.parameters:t=sum(h.get_parameter(i).grad is not None for i in s.u());l.count(s.X,'trained tensors',t)
 h.zero_grad()
def tK(e):
 a=e.model.state_dict();s={i:n.clone()for(i,n)in a.items()};h=eg(e.model,e.parameters);r=v();e.j(r)
 for l in tI():
  for t in range(20):tP(e,h,l,Scalars(1.,1.,.9),r);e.log(' '.join((f"warmup_step:{t+1}/20",*l)))
 for(i,n)in a.items():n.copy_(s[i])
 o.manual_seed(V);e.j(e.ledger)
def tL(r):
 try:eM();ea();l=v();i=th(f(oK)[0])
 except(OSError,ValueError)as s:print(f"error: {s}",file=u.stderr);u.exit(2)
 o.manual_seed(V);o.backends.cuda.matmul.allow_tf32=True
 if T==0:tN()
 td(i);i('plugins:'+' '.join(oH));e=tM(r,i,l)
 if e.training_data:
  tO(e);tJ(e);tK(e);t=tS(e)
  try:tu(e,t)
  except(OSError,ValueError)as s:i.E(str(s));u.exit(f"error: rank {m}: {s}")
 a=not U and(tx(e)or e.failed);eo()
 if a:u.exit(1)
def tM(r,i,l):
 try:
  e=tH(r,i,l);eq(e)
  if S:tf(e)
  elif U:e.phases=tuple(m.name for m in());tv(e)
  else:e.j(v());eL(e)
  return e
 except(OSError,ValueError)as s:
  i.E(str(s))
  if not S:eo()
  u.exit(2)
def tN():M.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');o.use_deterministic_algorithms(True)
def tO(e):e.log(f"model_params:{sum(n.numel()for n in e.model.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{V}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{c} warmup_steps:20 max_wallclock_seconds:{T:.3f}")
def tP(e,h,o,i,l):
 a=8//t;d=.0
 for f in range(a):n,r,c=e.k();u=e.forward(n,r,phases=o,fields=c)/a;d+=u.detach();u.backward()
 h.step(i,l);return d
def tQ(e,t,s,l):
 a=tj(t,s,l);i=Scalars(1.,1.,.0)
 for n in oI:i=n(a,i,e.ledger)
 return i
def tR():return 1e3*T
def tS(e):
 h=eg(e.model,e.parameters);aS(h.y);l=tR();t=0;s=.0;G()
 while True:
  f=t==c or 0<l<=s
  if f or oM>0 and t%oM==0:
   oo(e.ledger);n=e.validate();tT(e,t,f"val_loss:{n.val_loss:.4f} val_bpb:{n.g:.4f}",s)
   if f:break
   G()
  i=tQ(e,t,s,l);u=tP(e,h,e.phases,i,e.ledger);t+=1;aT(h.y,t,i);s=d(oi(t))
  if oL>0 and(t<=10 or t%oL==0):
   tT(e,t,f"train_loss:{u:.4f}",s)
   if u!=u:raise ValueError('the training loss is not a number')
 if t<c:e.log(f"stopping_early: wallclock_cap train_time:{s:.0f}ms step:{t}/{c}")
 a=o.cuda.max_memory_allocated()>>20;r=o.cuda.max_memory_reserved()>>20;e.log(f"peak memory allocated: {a} MiB reserved: {r} MiB");aU(h.y,e.ledger);e.e.q(s);e.e.end('train','train');return t
def tT(e,t,a,s):e.log(f"step:{t}/{c} {a} train_time:{s:.0f}ms step_avg:{s/max(t,1):.2f}ms")
def tU(n,s,a,t):t.t('additive_skips','skips');return n+t.p['skip_weights'][a].to(n.dtype)*s
def tV(e,t):
 s=o.bitwise_xor(36313*e[:,1:],27191*e[:,0:-1]);a=i.pad(s%3071,(1,0),value=3071);n=tz(t)
 if n is not None:r=n;a=a.masked_fill(r,3071)
 return a
def tW(e,t):t.t('bigram_hash','lookups');f=t.p['bigram.embed.weight'];s=i.embedding(tV(e,t),f);a=i.linear(s,t.p['bigram.proj.weight'].to(s.dtype));return a*t.p['bigram.scale'].to(s.dtype)
def tX(h,a,n,c,l,s,t):return tY(h,a,n,c,l,s,t)
def tY(h,a,n,c,l,s,t):
 if'attention'in t.fields:i=t.fields['attention'];r=i(h,a,n,c,l,s,t);return r
 return E(a,n,c,t)
def tZ(h,a,l,s,t):e=h.h(a,'attn.c_q',l,s,t);m=h.h(a,'attn.c_k',l,s,t);u=h.h(a,'attn.c_v',l,s,t);u=aA(u,l,t);e=ac(B(o.unflatten(e,2,(8,-1))),t);m=ac(B(o.unflatten(m,2,(4,-1))),t);u=o.unflatten(u,2,(4,-1));e,m=au(e,m,l,t);r=tX(h,e,m,u,l,s,t);r=aB(r,u,l,t);r=h.h(r.flatten(2),'attn.proj',l,s,t);return C(r,a,'attn',s,t)
def ae(a,n,c):e=a.transpose(1,2);m=n.transpose(1,2);u=c.transpose(1,2);s=e.size(1)!=m.size(1);return i.scaled_dot_product_attention(e,m,u,is_causal=True,enable_gqa=s).transpose(1,2)
def at():
 if h.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return ai(),None
def aa(e,a,n,c):r=e(a,n,c,causal=True,window_size=(-1,0));return r[0]if isinstance(r,tuple)else r
def ao(e,a,n,c):
 if e is not None:return aa(e,a,n,c)
 return ae(a,n,c)
def ai():a=o.are_deterministic_algorithms_enabled();o.backends.cuda.enable_cudnn_sdp(not a);o.backends.cuda.enable_flash_sdp(a);o.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def an():global oC;i,oC=at();return i
def E(e,m,u,t):t.t('causal_attention','layers');return ao(oC,e,m,u)
def ar(a,e,reduction,t):t.t('cross_entropy','losses');u=i.cross_entropy(a.flatten(0,1).float(),e.flatten(),reduction=reduction);return u.view_as(e)if reduction=='none'else u
def ah(h,a,l,s,t):t.t('leaky_relu2','layers');e=i.leaky_relu(h.h(a,'mlp.fc',l,s,t),.5).square();return h.h(e,'mlp.proj',l,s,t)
def al(a,l,t):t.t('ln_scale','branches');e=(l+1)**-.5;return a*e
def ad(length):a=max(length/1024,1.)**(16/14);return 1e4*a
def ac(a,t):t.t('ntk_rope','rotations');s=t.fields['segments'][0].size(1)if'segments'in t.fields else a.size(1);e=tC(a[...,:16],ad(s),t);return o.cat((e,a[...,16:]),-1)
def F(tensor,generator,ledger):
 if min(tensor.shape)>=64:N.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator)
def au(a,n,l,t):t.t('qk_gain','layers');e=t.p[f"blocks.{l}.attn.q_gain"].to(a.dtype);return a*e[:,None],n
def am(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def af(n,r,l,t):a=t.p[f"blocks.{l}.resid_mix"].to(n.dtype);return a[0]*n+a[1]*r
def ap(n,l,t):a=B(n);a=al(a,l,t);return a
def ag(h,a,l,s,t):e=tZ(h,a,l,s,t);return t.p[f"blocks.{l}.attn_scale"].to(a.dtype)*e
def aw(h,a,l,s,t):e=ah(h,a,l,s,t);e=C(e,a,'mlp',s,t);return t.p[f"blocks.{l}.mlp_scale"].to(a.dtype)*e
def ay(h,e,r,l,s,t):n=af(e[0],r,l,t);n=n+ag(h,ap(n,l,t),l,s,t);return n+aw(h,ap(n,l,t),l,s,t),
def ab(e,s,a,l,t):
 if s is None:return e
 return tU(e[0],s,a,t),*e[1:]
def av(h,e,r,t):
 o,i=az(t.phases);t.t('unet_plan','steps over 11 layers',len(o)+len(i));n=[]
 for(s,l)in enumerate(o):e=ay(h,e,r,l,s,t);n.append(e[0])
 for(a,l)in enumerate(i):e=ab(e,n.pop()if n else None,a,l,t);e=ay(h,e,r,l,len(o)+a,t)
 return e
def ak(h,a,e,t):t.t('sequential_wiring','walks');return av(h,(a,),e,t)[0]
def ax(a,t):
 t.t('smear_gate','blends');e=tq(a);n=tz(t)
 if n is not None:e=e.masked_fill(n[...,None],0)
 s=o.sigmoid(t.p['smear.gate']).to(a.dtype);return(1-s)*a+s*e
def aj(model,a,ctx,cap):ctx.t('tanh_softcap','caps');return cap*o.tanh(a/cap)
def aq(a,t):t.t('tied_head','heads');return tB(t.p['tok_emb.weight'],a,'head',0,0,t)
def az(o):t=tuple(range(11));return t[:len(t)//2],t[len(t)//2:]
def aA(a,l,t):
 if l not in(9,10):return a
 t.t('value_embedding','layers')
 if've'not in t.memo:s=i.embedding(t.ids,t.p['ve_shared.embed.weight']);s=i.linear(s,t.p['ve_shared.proj.weight'].to(s.dtype));t.memo['ve']=s*t.p['ve_shared.scale'].to(s.dtype)
 e=t.p[f"ve_layer_scales.{oJ.index(l)}"];n=t.memo['ve'];return a+e.to(a.dtype)*n
def aB(a,c,l,t):
 if l<0:return a
 t.t('xsa','layers');s=o.unflatten(a,2,(c.size(2),-1));e=i.normalize(c,dim=-1)[:,:,:,None,:];return(s-(s*e).sum(-1,keepdim=True)*e).flatten(2,3)
def aC(data,l):i=lzma.compress(data,preset=9);l.c('lzma',f"{len(data)} -> {len(i)} bytes");return i
def aD(data,e):
 i=lzma.LZMADecompressor(memlimit=2**27);a=i.decompress(data,e)
 if not i.eof or i.unused_data:raise ValueError(f"wanted one whole stream of at most {e} bytes")
 return a
def aE(t):a=io.BytesIO();e={u.intern(i):{u.intern(d):f for(d,f)in s.items()}for(i,s)in t.items()};o.save(e,a);return a.getvalue()
def aF(data):return o.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aG(t,l):h=aE(t);l.c('torch_save',f"{len(t)} tensors in {len(h)} bytes");return h
def aH(data):return aF(data)
def aI():
 try:a=SentencePieceProcessor(W)
 except(OSError,RuntimeError)as s:raise OSError(f"{W}: not a SentencePiece model")from s
 if len(a)>1024:raise ValueError(f"{W} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{W}: U+2581 is not a piece of its own")
 return a
def aJ(a):
 s=[(0,0,1)]*1024
 for e in range(len(a)):
  if not(a.is_control(e)or a.is_unknown(e)or a.is_unused(e)):d=a.id_to_piece(e);t=d.startswith('\u2581');s[e]=1 if a.is_byte(e)else len(d.encode())-3*t,t,0
 return o.tensor(s).T
def aK(l):
 global oX,oW,oN,oV
 if any(s(R).glob('*_bytes_*')):raise ValueError(f"{R}: it has byte side files, build with the plugin that reads them")
 a=aJ(aI());oV,oW,oX=a.to(h);oN=l
def aL(e,a,t):oN.count('sentencepiece_bytes','targets',a.numel());l=oV[a]+(oW[a]&~oX[e]);return l
def aM(e,l):
 global X,oQ,oO,Y,oP;X=tD(e)
 for c in X:tE(c)
 oO=m;oP=t;oQ=l;Y=D(X[0])
def aN(t):
 global Y;s=[]
 while t>0:
  if not len(Y):X.append(X.pop(0));Y=D(X[0])
  s.append(Y[:t]);Y=Y[t:];t-=len(s[-1])
 return L.concatenate(s)
def aO():e=aN(oP*98305).reshape(oP,-1)[oO];e=o.from_numpy(e.astype(int));oQ.count('sequential_loader','batches');return e[:-1].reshape(-1,2048),e[1:].reshape(-1,2048)
def aP(a):t=min(64,2048);i=a-1;n=range(0,max(i-(2048-t),1),t);return[Span(e,min(e+2048,i),0 if e==0 else 2048-t)for e in n]
def aQ(t):global oR;s=[{'params':d,'spec':m}for(m,d,c)in t];oR=o.optim.AdamW(s,betas=(.9,.95),eps=1e-08,fused=True)
def aR(i,l):
 for e in oR.param_groups:e['lr']=e['spec'].lr*i.r;e['weight_decay']=e['spec'].weight_decay*i.N
 oR.step();l.count('adam','steps')
@o.no_grad()
def aS(d):global Z,oS;oS=0;Z=[n.detach().float().clone()for n in d]
@o.no_grad()
def aT(d,g,i):global oS;oS+=1;o._foreach_mul_(Z,.997);o._foreach_add_(Z,[n.detach().float()for n in d],alpha=1-.997)
@o.no_grad()
def aU(d,l):
 for(n,a)in zip(d,Z,strict=True):n.copy_(a)
 l.count('ema','updates',oS)
def aV(d,names,ledger,max_norm):N.utils.clip_grad_norm_(d,max_norm);ledger.count('grad_clip','steps')
def aW(a,i,ledger,start,final,steps):e=min(a.step/steps,1.)if steps>0 else 1.;r=(1-e)*start+e*final;ledger.c('momentum_warmup',f"momentum {r:.4f} at step {a.step}");return i._replace(momentum=r)
def aX(tensor,a,names,lr,i,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*i.N);ledger.count('muon_weight_decay','tensors decayed')
def aY(n,steps,scale_first):
 e=n.shape[-2]>n.shape[-1]
 if e:n=n.mT
 n=n/(n.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for f in range(steps):a=n@n.mT;t=2.0315*a@a if scale_first else 2.0315*(a@a);n=3.4445*n+(-4.775*a+t)@n
 return n.mT if e else n
class MuonBank(a):weight:a;names:a;W:a;full:a;J:a;momentum:a;F:a
def aZ(d,c):
 global ee,oY;oY={};ee=[];b=o.bfloat16 if h.type=='cuda'else o.float32
 for(e,w)in sorted(zip(d,c,strict=True),key=lambda v:-v[0].numel()):*f,s,M=e.shape;a=-(-len(w)//t);l=(*w,*['']*a*t)[a*m:][:a];p=[(u,s,M)for u in(a*t,a)];i,n=[o.zeros(g,dtype=b,device=h)for g in p];F,r=[o.zeros(g,dtype=o.bfloat16,device=h)for g in p];ee.append(MuonBank(e,w,l,i,n,r,F))
def oe():
 global oT;oT=[]
 for s in ee:e=en(s.weight).bfloat16();s.full.flatten()[:e.numel()].copy_(e.flatten());oT.append(er(s.J,s.full))
def ot(i,l):
 r=[]
 for(s,n)in zip(ee,oT,strict=True):
  el(n);c=t;e=(s.J/c).bfloat16();a=ex(e,s.momentum,i.momentum);a=eb(a,s.W);r.append((s,eh(s.F,a),a))
  if len(r)>1:oa(*r.pop(0),i,l)
 for o in r:oa(*o,i,l)
def oa(s,n,a,i,l):el(n);e=s.weight;t=s.F.flatten()[:e.numel()].view_as(e);ev(e,t,s.names,ej(e),i,l);l.count('parallel_muon','bank updates');l.count('newton_schulz','matrices',s.F.size(0))
def G():global oU;oU=r.perf_counter()-O
def oo(l):
 global O
 if o.cuda.is_available():o.cuda.synchronize()
 O=r.perf_counter()-oU;l.c('wall_clock',f"{O:.3f} seconds")
def oi(t):return 1e3*(r.perf_counter()-oU)
def on(a,length):
 if length<=0:return 1.
 if a.B>0:e=length*(a.C/max(a.step,1));return min(max(a.B-a.C,.0)/max(e,1e-09),1.)
 t=a.U-a.step;return t/length if 0<t<=length else 1.
def os(a,i,ledger,length):e=on(a,length);ledger.c('warmdown_iters',f"multiplier {e:.4f} at step {a.step}");return i._replace(r=i.r*e)
class Trial(a):codes:a;step:a;error:a
class oh:
 name='int6'
 def __init__(a,e):a.floor=.03225806451612903;a.H=e
 def encode(a,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');e,s=tensor.float(),None
  for t in eC(e,a.floor):o=v()if s else ledger;r=a.H(name,e,t,31,statistics,o);s=od(s,ol(e,r,t,statistics))
  return{'codes':s.codes,'step':s.step}
 def R(a,c,d,u,l):
  l.count('clip_search','tensors quantized',len(c));p=[n.float()for n in d];g=[eC(e,a.floor)for e in p];s=[None]*len(c);x=a.H
  for i in range(len(g[0])):
   w=[f for(f,o)in enumerate(g)if not any(o[i].equal(b)for b in o[:i])];B=[[F[f]for f in w]for F in(c,p)];m=[u[f]for f in w];o=[g[f][i]for f in w];h=x.solve(*B,o,31,m,v()if i else l)if w else[]
   for(f,r,t)in zip(w,h,o,strict=True):s[f]=od(s[f],ol(p[f],r,t,u[f]))
  return[{'codes':M.codes,'step':M.step}for M in s if M]
 def decode(a,name,parts,kind):return eF(parts,kind)
def ol(e,r,t,u):
 if'hessian'in u:d=u['hessian'].diagonal()==0;return Trial(r,t,eD(e.masked_fill(d,.0),r.masked_fill(d,0),t))
 return Trial(r,t,eD(e,r,t))
def od(b,w):
 if b is None:return w
 a=w.error<b.error;return Trial(*(o.where(a,t,e)for(e,t)in zip(b,w,strict=True)))
class oc:
 ei='hessian',
 def __init__(a):a.block=128
 def __call__(a,name,weight,step,h,u,ledger):return a.solve([name],[weight],[step],h,[u],ledger)[0]
 def solve(a,names,weights,steps,top,statistics,ledger):
  for(i,m)in zip(names,statistics,strict=True):
   if'hessian'not in m:raise ValueError(f"{i} has no input statistics, which gptq needs")
  x,B,M=[],[],[]
  for(e,m)in zip(weights,statistics,strict=True):s,d=eG(m['hessian']);v=m['order']if'order'in m else s.diagonal().argsort(descending=True,stable=True);x.append(v);B.append(s[v][:,v]);M.append(e.masked_fill(d,.0).T[v])
  F,w=ou(o.stack(B)),o.stack(M);r,t=o.empty_like(w),o.stack(steps).float()
  for n in range(0,w.shape[1],a.block):om(w,r,F,t,top,n,min(n+a.block,w.shape[1]))
  b=(~F.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(b));ledger.count('gptq','matrices',len(names)-sum(b));return[eA(weights[f],t[f],top)if b[f]else r[f,v.argsort()].T.contiguous().to(o.int8)for(f,v)in enumerate(x)]
def ou(s):a,b=o.linalg.cholesky_ex(s);e,t=o.linalg.cholesky_ex(o.cholesky_inverse(a),upper=True);return o.where((b+t>0)[...,None,None],o.nan,e)
def om(w,r,F,t,h,n,i):
 e=o.empty_like(w[:,n:i])
 for a in range(n,i):r[:,a]=(w[:,a]/t).round().clamp(-h,h);s=(w[:,a]-r[:,a]*t)/F[:,a,a,None];w[:,a:i]-=F[:,a,a:i,None]*s[:,None];e[:,a-n]=s
 w[:,i:]-=F[:,n:i,i:].mT@e
def of(u,l):
 c=[(i,d)for i in sorted(u)for d in sorted(u[i])]
 for(n,a)in enumerate(f(c)):
  if a!=c:e=sorted({*c}^{*a})[0][0];raise ValueError(f"ranks {m} and {n} have statistics of different matrices, such as {e}")
 for(i,d)in c:ei(u[i][d]).div_(t);l.count('hessian_all_reduce',f"statistics over {t} ranks")
 return u
class H:
 name='int8'
 def __init__(a,i):a.half=i
 def encode(a,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if a.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,t=eE(tensor.float());return{'codes':r,'step':t}
 def decode(a,name,parts,kind):return eF(parts,kind)
class Kept(a):keys:a;values:a;documents:a;Y:a
class op:
 def __init__(a,s):a.m=s;a.L=[];a.b=0;a.l=None;a.f=None
 def P(a,l,f):a.l,a.f,a.b=l,f,0
 def __call__(a,model,e,k,u,l,s,ctx):
  if a.l is None or a.f is None:a.L.append(a.V(e,k,u,ctx));return E(e,k,u,ctx)
  i=a.L[a.b];a.b+=1;n=e.size(1)//ctx.ids.size(1);c=o.arange(n,device=e.device);w,r=a.f*n+c,(a.f-a.l)*n+c;i.keys.index_copy_(1,w,k.index_select(1,r));i.values.index_copy_(1,w,u.index_select(1,r));g=a.l*n+o.arange(e.size(1),device=e.device);F=g[:,None]-o.arange(i.keys.size(1),device=e.device);d=(F>=0)&(F<i.Y)
  if i.documents is not None:f=ctx.fields['documents'];i.documents.index_copy_(1,w,f.index_select(1,r));d=d&(f[:,None,:,None]==i.documents[:,None,None,:])
  return og(e,i.keys,i.values,d)
 def V(a,e,m,u,t):
  s=m.size(1);c=dict(t.fields);f=c.pop('documents',None);h=t._replace(memo={},fields=c);w,g,l=o.zeros_like(e),o.zeros_like(m),o.zeros_like(u);l[:,0]=1;d=int((E(w,g,l,h)[0,:,0,0]>0).sum())
  if f is not None:i=s//2;c['documents']=(o.arange(s,device=e.device)>=i).long()[None];l=o.zeros_like(u);l[:,i-1]=1;r=E(w,g,l,h._replace(memo={}));b=not bool(r[0,i,0,0]>0);f=f.new_zeros(a.m,s)if b else None
  M,F=(n.new_zeros(a.m,*n.shape[1:])for n in(m,u));return Kept(M,F,f,d)
def og(a,s,l,d):t=s.size(2);n=a.size(2)//t;e=o.unflatten(a,2,(t,n)).transpose(1,2).flatten(2,3);d=d.repeat_interleave(n,-2);r=i.scaled_dot_product_attention(e,s.transpose(1,2),l.transpose(1,2),attn_mask=d);return o.unflatten(r,2,(-1,n)).transpose(1,2).flatten(2,3)
def I(e,r,c,u):return Context(r,(),False,e.model.matrices(),u,c,None,None,None)
def J(e,r):return{}
class ow:
 def __init__(a,e,n):a.session=e;a.x=n;a.temperature=.8;a.ids=o.zeros_like(n,dtype=o.long);a.ids[:,0]=(n[:,0]*1024).long();a.M=o.zeros_like(n);a.f=a.ids.new_zeros(1);a.attention=op(len(n));r=a.ids[:1];t=I(e,r,{**J(e,r),'attention':a.attention},{});e.model.d(r,t);a.rotations=t.memo.get('rope',())
 def write(a):
  g=a.x.size(1)-1
  if a.x.is_cuda and g>3:g=a.ee(g)
  for f in range(g):a.step()
  return a.ids
 def ee(a,g):
  e=o.cuda.Stream();e.wait_stream(o.cuda.current_stream())
  with o.cuda.stream(e):
   for f in range(3):a.step()
  o.cuda.current_stream().wait_stream(e);t=o.cuda.CUDAGraph()
  try:
   with o.cuda.graph(t):a.step()
  except RuntimeError as s:a.session.log(f"decoding without a CUDA graph: {str(s).splitlines()[0]}");return g-3
  for f in range(g-3):t.replay()
  return 0
 def step(a):h=a.session.model;d=min(8,a.ids.size(1));l=(a.f-(d-1)).clamp_min(0);e=l+o.arange(d,device=l.device);a.attention.P(l,a.f);r=a.ids.index_select(1,e);c={i:w.index_select(1,e)for(i,w)in J(a.session,a.ids).items()};u={'rope':tuple(f.index_select(0,e)for f in a.rotations)}if a.rotations else{};t=I(a.session,r,{**c,'attention':a.attention},u);n=h.d(r,t).index_select(1,a.f-l);s=h.logits(n,t)[:,0].float()/a.temperature;a.f.add_(1);m=oy(s,a.x.index_select(1,a.f));a.ids.index_copy_(1,a.f,m);a.M.index_copy_(1,a.f,s.log_softmax(1).gather(1,m))
 def Q(a):
  d=.0
  for l in range(0,len(a.ids),8):r=a.ids[l:l+8];t=I(a.session,r,J(a.session,r),{});s=a.session.model.logits(a.session.model.d(r,t)[:,:-1],t).float();h=(s/a.temperature).log_softmax(2).gather(2,r[:,1:,None])[...,0];d+=(h-a.M[l:l+8,1:]).abs().sum().item()
  return d/a.ids[:,1:].numel()
def oy(s,a):e=s.softmax(1).cumsum(1)<=a;return e.sum(1,keepdim=True).clamp_max(s.shape[1]-1)
def ob(e):
 a=64//t;i=(m+1)*a
 for l in range(i-a,i,64):s=range(l,min(l+64,i));n=o.stack([ox(c)for c in s]);e.ledger.count('self_calibration','sequences',len(n));r=ov(e,n.to(h));yield from r[:,:-1].split(8)
def ov(e,n):
 i=ow(e,n);r=i.write();a=i.Q()
 if a<.1:return r
 e.ledger.count('self_calibration','sequences without a cache',len(n));e.log(f"self_calibration: with kept keys scores are {a:.3f} nats off: whole forwards");return o.cat([ok(e,f)for f in n.split(8)])
def ok(e,n):
 r=o.zeros_like(n,dtype=o.long);r[:,0]=(n[:,0]*1024).long()
 for f in range(1,n.shape[1]):s=oj(e,r,f-1);r[:,f]=oy(s/.8,n[:,f:f+1])[:,0]
 return r
def ox(c):return o.rand(2048,generator=em(f"self_calibration {c}"))
def oj(e,r,f):t=I(e,r,J(e,r),{});return e.model.logits(e.model.d(r,t)[:,f:f+1],t)[:,0].float()
def oq():return Param('qo_bank',(22,512,512),'matrix','attn',(F,e),'banks',s=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(F,F),'banks',s=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(F,),'banks',s=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(e,),'banks',s=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',p,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',e,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',F,'bigram_hash'),Param('bigram.scale',(),'scalar','control',n(y,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',n(y,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',p,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',p,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',am,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',e,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',n(ep,std=.005),'tied_head','activation',A='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',n(ep,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',n(y,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',p,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',F,'value_embedding')
def oz(e):e.preparing='causal_attention';ez(e,an())
oB=n(aX,weight_decay=.04),
oC=None
O=.0
oD=n(aV,max_norm=.3),
oE=Group('embed',.035,.04),Group('scalar',.025,.04)
oF=n(aj,cap=3e1),
oG=n(aY,scale_first=False)
P=None
oH='adam','additive_skips','banks','bigram_hash','causal_attention','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oI=n(aW,final=.99,start=.92,steps=1500),n(os,length=4000)
Q={'attn':oh(oc()),'aux':H(True),'control':H(False),'embed':H(True),'mlp':oh(oc())}
oJ=9,10
if __name__=='__main__':tL(oq())