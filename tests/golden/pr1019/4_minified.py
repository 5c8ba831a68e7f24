import faulthandler,hashlib as T,io,lzma,numpy as U,os as V,signal,subprocess,sys as m,time as c,torch as a,torch.distributed as i,torch.nn.functional as o,traceback
from functools import partial as l
from pathlib import Path as s
from sentencepiece import SentencePieceProcessor
from torch import nn as W
from typing import NamedTuple as e
def ey():
 e=V.environ.get;r=int(e('RANK',0));o=int(e('WORLD_SIZE',1));s=int(e('LOCAL_RANK',0))
 if o<1 or 8%o:raise ValueError(f"WORLD_SIZE is {o}, wanted a divisor of 8 micro-batches")
 return r,o,s
def eb():
 global h,p,t;r,o,s=ey();e='gloo';n=a.device('cpu')
 if a.cuda.is_available():e='nccl';n=a.device('cuda',s);a.cuda.set_device(n)
 if o>1:i.init_process_group(e)
 p=r;t=o;h=n
def ev():
 if t>1:i.destroy_process_group()
def ek(e):
 if t>1:i.all_reduce(e)
 return e
def y(value):
 n=[value]*t
 if t>1:i.all_gather_object(n,value)
 return n
def b(value):
 if t==1:return value
 n=a.tensor(value,dtype=a.float64,device=h);i.all_reduce(n,i.ReduceOp.MAX);return n.item()
def ex(e):
 if e.grad is None:e.grad=a.zeros_like(e)
 return e.grad
def ej(r):
 o=[ex(e)for e in r]
 if t>1:
  d=a.cat([c.flatten()for c in o]);i.all_reduce(d);s=(d/t).split([c.numel()for c in o])
  for(c,n)in zip(o,s,strict=True):c.copy_(n.view_as(c))
def eq(o,n):
 if t>1:return i.reduce_scatter(o,list(n.chunk(t)),async_op=True)
 o.copy_(n)
def ez(n,o):
 if t>1:return i.all_gather(list(n.chunk(t)),o,async_op=True)
 n.copy_(o)
def eA(r):
 if r is not None:r.wait()
def eB(n,o):
 if not n.m:return o,
 t=range(n.shape[0]//len(n.m));return tuple(e.format(r)for e in n.m for r in t)
def v(l):
 h=[]
 for n in l:
  if n.m:
   t=range(n.shape[0]//len(n.m))
   for(e,c)in zip(n.m,n.init,strict=True):h+=[(e.format(r),c,n)for r in t]
  else:h+=[(o,n.init,n)for o in n.d()]
 return h
def eC(o,e):
 if o.startswith('blocks.')and o.endswith('.weight'):r,a=o[len('blocks.'):-len('.weight')].split('.',1);return a,int(r)
 return e,0
def eD(t,l,m):
 for n in l:
  r=m if n.dtype=='activation'else a.float32
  for o in n.d():
   *c,s=o.split('.');e=t
   for i in c:
    if i not in e._modules:e.add_module(i,W.ModuleList())
    e=e._modules[i]
   e.register_parameter(s,W.Parameter(a.empty(n.shape,dtype=r,device=h)))
def eE(o):i=T.sha256(f"{ei}:{o}".encode()).digest();return a.Generator().manual_seed(int.from_bytes(i[:7],'little'))
def eF(l,n):
 t=k(d.state_dict(),l)
 for(o,c,m)in v(l):r=a.empty(t[o].shape);c(r,eE(o),n);t[o].copy_(r)
def k(t,l):
 r=[]
 for n in l:
  for o in n.d():r+=t[o].unbind()if n.m else[t[o]]
 return{o:e for((o,m,m),e)in zip(v(l),r,strict=True)}
def x(tensor,generator,ledger):tensor.zero_()
def j(tensor,generator,ledger):tensor.fill_(1.)
def q(tensor,generator,ledger,value):tensor.fill_(value)
def eG(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eH:
 def __init__(t):c=[(d.get_parameter(o),eB(n,o),n)for n in g for o in n.d()];t.tensors,t.names=z(c);t.replicated=[e for(e,l,n)in c if n.reduction=='replicated'];t.f,t.R=z([i for i in c if i[2].D]);a,s=z([i for i in c if i[2].group=='matrix']);ok(a,s);f=[(h,*z([i for i in c if i[2].group==h.name]))for h in(oW,oX)];ou(f)
 @a.no_grad()
 def step(t,scalars,ledger):
  ow(t.tensors,t.names,ledger);ox();ej(t.replicated);om(scalars,ledger);oj(scalars,ledger)
  for e in t.tensors:e.grad=None
def z(c):return[e for(e,l,n)in c],[l for(e,l,n)in c]
def eI(e):
 if a.cuda.is_available():return a.compile(e,dynamic=False,fullgraph=True)
 return e
def eJ(a):
 global Y
 if Y is None:Y=eI(ie)
 return Y(a.bfloat16()if a.is_cuda else a.float(),5).bfloat16()
def eK(a,l):a=eJ(a).contiguous();return a
def eL(e,a,l,s,o,n):eM(e,a,.025*o.s,s,o,n)
def eM(e,a,t,s,o,n):ob(e,t,o,n);e.add_(a,alpha=-t*s)
def eN(c,e,d):e.mul_(d).add_(c);return c.add(e,alpha=d)
def eO(e):return max(1,e.shape[-2]/e.shape[-1])**.5
def eP():
 t=''
 try:oU()
 except(OSError,ValueError)as s:t=f"{eu}: {s}"
 for(r,e)in enumerate(y(t)):
  if e:raise ValueError(f"{e} (on rank {r})"if r else e)
def eQ(e):
 if e is not None:r(f"prepared {eu}: {e}")
class Param(e):
 name:e;shape:e;group:e;x:e;init:e=None;K:e='';dtype:e='float32';layers:e=0;m:e=();reduction:e='replicated';y:e='';D:e=True;Q:e=True;export:e='yes';n:e=0
 def d(t):return[t.name.format(r)for r in range(t.n,t.layers)]or[t.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class A:
 def __init__(t):t.done={}
 def count(t,plugin,unit,number=1):t.done[plugin,unit]=t.done.get((plugin,unit),0)+number
 def r(t,i,e):t.done[i,'']=e
 def M(t,i):return', '.join(f"{r} {e}".strip()for((o,e),r)in t.done.items()if o==i and r)
def eR(s,i,e):return(s/B(i)).round().clamp(-e,e).to(a.int8)
def B(i):return i[:,None]if i.ndim else i
def eS(d,i,r):return(d.float()*B(i).float()).to(r)
def eT(s):e=s.abs();t=max(.03225806451612903,a.finfo(a.float16).tiny);i=[a.quantile(e,n,1)for n in(.999,.9995,.9999,.99999)];return[(o/31).clamp_min(t).half()for o in(*i,e.amax(1))]
def eU(s,d,i):return(s-eS(d,i,a.float32)).square().mean()
def eV(s):
 if s.ndim==2:o=a.quantile(s.abs(),.9999984,1);i=(o/127).clamp_min(1/127);e=i.half()
 else:o=a.quantile(s.abs().flatten(),.9999984);e=i=o/127 if o>0 else o+1
 o=B(o);return eR(s.clamp(-o,o),i,127),e
def eW(s,r):
 if'kept'in s:return s['kept'].to(r)
 return eS(s['codes'],s['step'],r)
def eX(h):h=h.clone();e=h.diagonal();f=e==0;e[f]=1.;e+=.0201*e.mean();return h,f
class eY:
 def __init__(t):t.i={}
 def __call__(t,a,r,i):i=i.flatten(0,-2).float();e=(i.T@i).double();f=a,r;t.i[f]=t.i[f].add_(e)if f in t.i else e
@a.no_grad()
def eZ():
 e=eY();O={};t=0;d.eval()
 for s in oO():te(s,(),e);t+=1;tZ(f"calibration: batch {t}")
 d.train()
 if not t:raise ValueError('calibration found no batch of tokens')
 h={}
 for(o,m,n)in v(g):
  f=eC(o,n.y)
  if f in e.i:h[o]={'hessian':e.i[f]/t}
 h=oJ(h);return{o:{f:l.float()for(f,l)in y.items()}for(o,y)in h.items()},t
def te(s,a,e):d(s,s,phases=a,observe=e)
def tt():return[o for(o,m,n)in v(g)if n.x in('attn','mlp')and n.export!='drop'and len(n.shape[bool(n.m):])==2 and n.shape[-1]*n.shape[-2]>65536]
@a.no_grad()
def ta():
 e=eY();t={};d.eval();a=tuple(h.name for h in()if h.scoring);te(M()[0][:1,:64],a,e);d.train();i=tt()
 for(o,m,n)in v(g):
  f=eC(o,n.y)
  if o in i and f not in e.i:raise ValueError(f"{o} needs input statistics, and the forward uses no matrix under its role {f[0]!r}")
  if o in i and f in t:raise ValueError(f"{o} and {t[f]} have the same role {f[0]!r}: wanted one matrix for each")
  t[f]=o
def C(o,t,r):
 e=V.environ.get(o,t)
 try:return r(e)
 except ValueError:raise ValueError(f"{o} is {e!r}, wanted a value like {t!r}")from None
def to():global ee,et,f,ea,ia,eo,ei,en,ii,ir;e=V.environ.get;ee=e('DATA_PATH','./data/datasets/fineweb10B_sp1024');et='export'in m.argv;f=C('ITERATIONS',20000,int);ea=C('MAX_WALLCLOCK_SECONDS',6e2,float);ia=e('RUN_ID',str(c.time_ns()));eo='score'in m.argv;ei=C('SEED',1337,int);en=e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ii=C('TRAIN_LOG_EVERY',200,int);ir=C('VAL_LOSS_EVERY',1000,int)
class Score(e):val_loss:e;c:e;N:e;k:e
def ti(t):
 if t.numel():raise ValueError(f"target {t[0]} of the validation stream is not scored")
def tn(t):s=w[t].to(h,a.int64);i=s[:,:-1].contiguous();return i,s[:,1:].contiguous(),ts()
def ts():return{}
def tr(e,f,t,m):
 o=t[:,1:];e[o[m]]=f;tZ(f"eval: batch {f}");i,c,r=tn(t)
 with a.set_grad_enabled(False):w=ic(i,c,phases=(),fields=r,reduction='none',adapter=None)
 d=os(i,c,o.to(h));l=m.to(h);u=(w.detach().double()*16777216).round()/16777216;s=u*l,l,d*l;return w,a.stack([n.sum().double()for n in s])
def th(e,o):
 if t>1:e=e.to(h);i.all_reduce(e,o)
 return e.cpu()
def tl(e,o,s):
 ti(1+(e[1:]==0).nonzero().flatten());u,t,f=ek(o).tolist()
 if t>len(e)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(u/t,u/.6931471805599453/f,int(t),1e3*(c.perf_counter()-s))
def td(scored_at):
 if p==0:c=f"logs/{ia}.scores.npz";U.savez_compressed(c,scored_at=scored_at.numpy())
class Span(e):start:e;end:e;n:e
def tc(e):return[Span(r,r+2048,0)for r in range(0,(e-1)//2048*2048,2048)]
def tu(e):return e[len(e)*p//t:len(e)*(p+1)//t]
def tm(l):t=a.are_deterministic_algorithms_enabled();i=l if t else tu(l);e=[i[m:m+32]for m in range(0,len(i),32)];return tu(e)if t else e
def tf(l):
 t=a.zeros(32,2049,dtype=a.int64);m=a.zeros(32,2048,dtype=a.bool)
 for(s,(r,o,n))in enumerate(l):t[s,:o+1-r]=a.arange(r,o+1);m[s,n:o-r]=True
 return t,m
def D(l):
 s=c.perf_counter();d.eval();e=a.zeros(len(w),dtype=a.int32);o=a.zeros(3,dtype=a.float64,device=h)
 for(r,f)in enumerate(tm(l),1):t,m=tf(f);o+=tr(e,r,t,m)[1]
 d.train();e=th(e,i.ReduceOp.MAX);return tl(e,o,s),e
def tp():return{o:n.x for(o,m,n)in v(g)if n.export!='drop'}
def tg(t,c,l=0):
 n=r=tp();i={};m=ty(t,n,c)
 for(o,a)in n.items():
  if o in m:s=m[o]
  else:e=t[o];y=c.get(o,{});s=Z[a].encode(o,e,y,u)
  i[o]=tw(o,t[o],s,a,r[o])
 return tb(i)
def tw(o,e,s,a,r):
 n=e
 for h in(s,{'kept':n}):
  if e.isfinite().all()and tx(o,h,a,e.dtype).isfinite().all():return{f:l.cpu()for(f,l)in h.items()}
 raise ValueError(f"{o} does not stay finite: nothing is exported")
def ty(t,n,c):
 f={}
 for(o,a)in n.items():
  if a in('attn','mlp')and t[o].ndim==2 and t[o].numel()>65536:i,z=t[o].shape;f.setdefault((a,i,z),[]).append(o)
 h={}
 for((a,m,m),l)in f.items():r=[t[o]for o in l];y=[c.get(o,{})for o in l];e=Z[a];h|=zip(l,e.G(l,r,y),strict=True)
 return h
def tb(i):return i
def tv(i):return aX(ot(i))
def tk(data,t):
 o=2**20+sum(8*e.numel()+4096 for e in t.values())
 try:return oa(aY(data,o))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s)[:99]!r}")from s
def tx(o,s,a,r):e=Z[a].decode(o,s,r);return e
def tj(i,t):
 n=tp()
 if i.keys()!=n.keys():raise ValueError("the artifact's tensors are not the model's")
 for(o,a)in n.items():
  try:e=tq(o,i[o],a,t[o].dtype)
  except Exception as s:raise ValueError(f"the artifact's {o} cannot be decoded: {s!r}")from s
  if e.shape!=t[o].shape:raise ValueError(f"{o}: shape {[*e.shape]}, wanted {[*t[o].shape]}")
  t[o].copy_(e)
def tq(o,s,a,r):return tx(o,s,a,r)
def tz(e):
 global es,er,ih;ih=p;es=p==0;s('logs').mkdir(exist_ok=True);er=s('logs',e+'.txt')
 if es and not et:er.write_text('')
 m.excepthook=l(tB,er);faulthandler.register(signal.SIGTERM,er.open('a'),chain=True)
def r(e):
 if es:
  print(e,flush=True)
  with er.open('a')as t:print(e,file=t)
def tA(e):
 if es:r(f"error: {e}")
 elif e not in er.read_text():
  with er.open('a')as t:print(f"rank {ih}: error: {e}",file=t)
def tB(path,kind,s,trace):
 with path.open('a')as t:traceback.print_exception(s,file=t)
 m.__excepthook__(kind,s,trace)
def tC():
 i=T.sha256(s(m.argv[0]).read_bytes()).hexdigest();e=f"hardware:{V.uname().machine} CPU, {a.get_num_threads()} threads"
 if h.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 r(f"Running Python {m.version}\nRunning PyTorch {a.__version__}\ncode_sha256:{i}\n{e}")
def E():return len(s(m.argv[0]).read_bytes())
oV='final_model.pt'
def F():return Z['mlp'].name
def tD():return s(f"final_model.{F()}.ptz")
def tE(i):
 t=k(d.state_dict(),g)
 if p==0:s('final_export.pt').unlink(missing_ok=True);G(l(a.save,t),'final_model.pt')
 c=tI(i)
 if p==0:h=c,u.done,ec,em,el;G(l(a.save,h),'final_export.pt')
 tF(t,c)
def tF(t,c):
 s=aa();n('diagnostic','val');r(f"diagnostic pre-quantization post-ema val_loss:{s.val_loss:.8f} val_bpb:{s.c:.8f} eval_time:{s.k:.0f}ms")
 if p==0:tK(t,c)
 b(.0);tM()
def G(o,c):
 e=s('final_model.tmp')
 try:
  o(e)
  with e.open('rb')as t:V.fsync(t.fileno())
  e.replace(c)
 finally:e.unlink(missing_ok=True)
def tG():
 global el,em,ec;t=k(d.state_dict(),g);p=tH('final_model.pt');h=tH('final_export.pt');i=[o for o in t if o not in p or p[o].shape!=t[o].shape]
 if i:raise ValueError(f"final_model.pt is of another model: {i[0]} is missing or has another shape")
 for(o,e)in t.items():e.copy_(p[o])
 c,s,ec,em,el=h;u.done.update(s);K(el);tF(t,c)
def tH(c):
 try:return a.load(c,h,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{c} is damaged: {str(s)[:99]!r}")from s
def tI(i):
 global eh;c={};eh=False
 if eh:P()
 c,e=eZ()
 if eh:tJ(i)
 n('calibration','none'+f" batches:{e}");eh=False;return c
def tJ(i):
 e=1e3*ea;oz();P();t=b(oA(i));K(t)
 if 0<e<t:at(f"what reads training data ended at {t:.0f}ms, after the {e:.0f}ms of max_wallclock_seconds: build with more time in reserve")
def tK(t,c):i=tg(t,c,E());n('quantize','none');m=tv(i);n('compress','none');G(l(s.write_bytes,data=m),tD());e=f"{F()}+lzma";r(f"Serialized model: {s(oV).stat().st_size} bytes\nCode size: {E()} bytes\nSerialized model {e}: {len(m)} bytes\nTotal submission size {e}: {len(m)+E()} bytes")
def tL():
 t=k(d.state_dict(),g)
 for e in t.values():e.zero_()
 m=tD().read_bytes();i=T.sha256(m).hexdigest()
 if eo:
  o=''.join(c.read_text()for c in s('logs').glob('*.txt'))
  if'artifact_sha256:'in o and i not in o:raise ValueError('the artifact is not that of the logs in logs/')
 r('artifact_sha256:'+i);tj(tk(m,t),t)
def tM():
 t=F()
 if h.type=='cuda':a.cuda.reset_peak_memory_stats()
 tL();n('decode','none');s,e=D(tc(len(w)));n('score','val');tN(f"{t}_lzma_roundtrip",s);s,e=D(oc(len(w)));n('score','val');tN(f"{t}_sliding_window",s);td(e);u.count('sliding_eval','targets',s.N);r(f"eval: peak memory allocated: {a.cuda.max_memory_allocated()>>20} MiB")
def tN(e,s):r(f"final_{e} val_loss:{s.val_loss:.4f} val_bpb:{s.c:.4f} eval_time:{s.k:.0f}ms\nfinal_{e}_exact val_loss:{s.val_loss:.8f} val_bpb:{s.c:.8f}")
def tO():
 t=[];s=[i for(i,m)in u.done];a=False
 for o in it:
  e=u.M(o)
  if o in('int8',):e=e or'nothing was left'
  if eo and o not in s:continue
  if e and o not in t:r(f"receipt {o}: {e}")
  else:r(f"error: plugin {o} did nothing");a=p==0
 return a
class Progress(e):step:e;H:e;v:e;b:e;S:e;s:e
class Scalars(e):s:e;C:e;momentum:e
def tP(i,t,c):o=t/c if c>0 else i/max(f,1);return Progress(i,f,t,c,o,1.)
class Context(e):
 ids:e;phases:e;training:e;p:e;memo:e;fields:e;u:e;observe:e;ledger:e
 def t(t,i,e,r=1):
  if t.ledger is not None:t.ledger.count(i,e,r)
def H(i):return o.rms_norm(i,(i.size(-1),),eps=1.1920929e-07)
def tQ(i):return o.pad(i[:,:-1],(0,0)*(i.dim()-2)+(1,0))
def tR(e):
 if'starts'in e.fields:return e.fields['starts']
 if'documents'not in e.fields:return
 m=e.fields['documents'];return o.pad(m[:,1:]!=m[:,:-1],(1,0))
def tS(s):return s
def tT(s,i,a,r,n,e):
 s=tS(s)
 if e.observe is not None:e.observe(a,r,i)
 return I(o.linear(i,s.to(i.dtype)),i,a,n,e)
def I(c,i,t,n,e):
 if e.u is not None and t in e.u.sites:c=c+e.u.delta(i,t,n)
 return c
def tU(t,i,e):
 if'rope'not in e.memo:o=t.size(1);r=t.size(3);n=t.device;c=i**(-a.arange(0,r,2,dtype=a.float32,device=n)/r);m=a.outer(a.arange(o,dtype=a.float32,device=n),c);e.memo['rope']=m.cos(),m.sin()
 f,h=(l[None,:,None,:].to(t.dtype)for l in e.memo['rope']);s,d=t.chunk(2,-1);return a.cat((s*f+d*h,d*f-s*h),-1)
class GPT(W.Module):
 def __init__(t,l,m):super().__init__();t.records=l;eD(t,l,m)
 def matrices(t):return k(dict(t.named_parameters()),t.records)
 def h(t,i,a,r,n,e):return tT(e.p[f"blocks.{r}.{a}.weight"],i,a,r,n,e)
 def stem(t,ids,ctx):i=o.embedding(ids,ctx.p['tok_emb.weight']);i=I(i,i,'embed',0,ctx);i=i+ay(ids,ctx);i=H(i);i=aR(i,ctx);return i
 def l(t,s,e):i=t.stem(s,e);return H(aQ(t,i,i,e))
 def logits(t,x,ctx):c=aT(x,ctx);c=aS(c,ctx);return c
 def forward(t,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):m=fields or{};l={};fields={**l,**m};e=Context(ids,phases,t.training,t.matrices(),{},fields,adapter,observe,ledger);i=t.l(ids,e);c=t.logits(i,e);d=aC(c,targets,reduction,e);return d
def tV(e):
 e=s(e);t=sorted(c for c in e.parent.glob(e.name)if('_bytes_'in c.name)==('_bytes_'in e.name))
 if not t:raise ValueError(f"{e}: no shard matches, see DATA_PATH")
 return t
def tW(c):
 f=s(c).stat().st_size;e=U.fromfile(c,'<i4',3).tolist()
 if f<=1024 or e!=[20240520,1,(f-1024)/2]:raise ValueError(f"{c}: {f} bytes and header {e}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return e[2]
def J(c):
 t=U.memmap(c,'<u2','r',1024,tW(c))
 if t.max()>=1024:raise ValueError(f"{c}: token {t.argmax()} is {t.max()}, wanted an id below 1024")
 return t
def tX(e):
 t=U.concatenate([J(c)for c in tV(e)])
 if len(t)<=2048:raise ValueError(f"{e}: {len(t)} tokens, wanted at least 2049")
 return a.from_numpy(t[:(len(t)-1)//2048*2048+1])
def tY():global el,il,ed;el=.0;il=ed=c.perf_counter()
def K(t):global il;il=c.perf_counter()-t/1e3
def n(o,data):global el,ed;e=1e3*(c.perf_counter()-il);r(f"stage:{o} begin:{el:.0f}ms end:{e:.0f}ms data:{data}");el=e;ed=c.perf_counter()
def tZ(e):
 global ed
 if c.perf_counter()>ed+10:ed=c.perf_counter();r(e)
def ae(l,n):global em,ic,u,d,g,ec,eu,w,eh;g=l;u=n;ec=();eu='';tY();em=False;eh=not(eo or et);m=a.bfloat16 if h.type=='cuda'else a.float32;a._dynamo.config.recompile_limit=16;d=GPT(l,m);eF(l,n);ic=eI(d);e=s(ee,'fineweb_val_*.bin');w=tX(e);on(n);i=T.sha256(w.numpy().data).hexdigest();r(f"val_loader:shards pattern={e} tokens:{len(w)-1}\nval_sha256:{i}")
def L(n):e=s(ee,'fineweb_train_*.bin');oh(e,n)
def M():
 if not eh:raise ValueError('training data are closed: training time is over')
 f=od();i,c=(n.to(h,non_blocking=True)for n in f);return i,c,{}
def at(e):global em;r(f"error: {e}");em=True
def aa():return D(tc(len(w)))[0]
def ao():e=[()];return e
def ai():
 i,c,r=M();i,c=i[:1,:512],c[:1,:512];r={o:l[:1,:512]for(o,l)in r.items()};e=tuple(h.name for h in());d(i,c,phases=e,fields=r,ledger=u).backward()
 for n in g:t=sum(d.get_parameter(o).grad is not None for o in n.d());u.count(n.K,'trained tensors',t)
 d.zero_grad()
def an():
 t=d.state_dict();s={o:e.clone()for(o,e)in t.items()};l=eH();n=A();L(n)
 for c in ao():
  for i in range(20):ac(l,c,Scalars(1.,1.,.9),n);r(' '.join((f"warmup_step:{i+1}/20",*c)))
 for(o,e)in t.items():e.copy_(s[o])
 a.manual_seed(ei);L(u)
def ar(l):
 try:to();eb();n=A();tz(y(ia)[0])
 except(OSError,ValueError)as s:print(f"error: {s}",file=m.stderr);m.exit(2)
 a.manual_seed(ei);a.backends.cuda.matmul.allow_tf32=True
 if ea==0:al()
 tC();r('plugins:'+' '.join(it));ah(l,n)
 if eh:
  ad();ai();an();i=af()
  try:tE(i)
  except(OSError,ValueError)as s:tA(str(s));m.exit(f"error: rank {p}: {s}")
 e=tO()or em;ev()
 if e:m.exit(1)
def ah(l,n):
 global ec
 try:
  ae(l,n);eP()
  if et:tG()
  elif eo:ec=tuple(h.name for h in());tM()
  else:L(A());ta()
  return
 except(OSError,ValueError)as s:
  tA(str(s))
  if not et:ev()
  m.exit(2)
def al():V.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');a.use_deterministic_algorithms(True)
def ad():r(f"model_params:{sum(e.numel()for e in d.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{ei}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{f} warmup_steps:20 max_wallclock_seconds:{ea:.3f}")
def ac(l,a,o,n):
 e=8//t;f=.0
 for m in range(e):i,c,r=M();d=ic(i,c,phases=a,fields=r)/e;f+=d.detach();d.backward()
 l.step(o,n);return f
def au(i,t,c):e=tP(i,t,c);o=Scalars(1.,1.,.0);o=oy(e,o);o=oC(e,o);return o
def am():return 1e3*ea
def af():
 l=eH();of(l.f);c=am();i=0;t=.0;P()
 while True:
  h=i==f or 0<c<=t
  if h or ir>0 and i%ir==0:
   oz();s=aa();ap(i,f"val_loss:{s.val_loss:.4f} val_bpb:{s.c:.4f}",t)
   if h:break
   P()
  o=au(i,t,c);d=ac(l,ec,o,u);i+=1;op(l.f,i,o);t=b(oA(i))
  if ii>0 and(i<=10 or i%ii==0):
   ap(i,f"train_loss:{d:.4f}",t)
   if d!=d:raise ValueError('the training loss is not a number')
 if i<f:r(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{i}/{f}")
 e=a.cuda.max_memory_allocated()>>20;m=a.cuda.max_memory_reserved()>>20;r(f"peak memory allocated: {e} MiB reserved: {m} MiB");og(l.f);K(t);n('train','train');return i
def ap(i,e,t):r(f"step:{i}/{f} {e} train_time:{t:.0f}ms step_avg:{t/max(i,1):.2f}ms")
def ag(i,s,t,e):e.t('additive_skips','skips');return i+e.p['skip_weights'][t].to(i.dtype)*s
def aw(s,e):
 n=a.bitwise_xor(36313*s[:,1:],27191*s[:,0:-1]);t=o.pad(n%3071,(1,0),value=3071);i=tR(e)
 if i is not None:r=i;t=t.masked_fill(r,3071)
 return t
def ay(s,e):e.t('bigram_hash','lookups');l=e.p['bigram.embed.weight'];i=o.embedding(aw(s,e),l);t=o.linear(i,e.p['bigram.proj.weight'].to(i.dtype));return t*e.p['bigram.scale'].to(i.dtype)
def ab(i,t,a,m,r,n,e):return av(i,t,a,m,r,n,e)
def av(i,t,a,m,r,n,e):
 if'attention'in e.fields:o=e.fields['attention'];c=o(i,t,a,m,r,n,e);return c
 return N(t,a,m,e)
def ak(i,t,r,n,e):s=i.h(t,'attn.c_q',r,n,e);f=i.h(t,'attn.c_k',r,n,e);d=i.h(t,'attn.c_v',r,n,e);d=aV(d,r,e);s=aG(H(a.unflatten(s,2,(8,-1))),e);f=aG(H(a.unflatten(f,2,(4,-1))),e);d=a.unflatten(d,2,(4,-1));s,f=aH(s,f,r,e);c=ab(i,s,f,d,r,n,e);c=aW(c,d,r,e);c=i.h(c.flatten(2),'attn.proj',r,n,e);return I(c,t,'attn',n,e)
def ax(t,a,m):s=t.transpose(1,2);f=a.transpose(1,2);d=m.transpose(1,2);i=s.size(1)!=f.size(1);return o.scaled_dot_product_attention(s,f,d,is_causal=True,enable_gqa=i).transpose(1,2)
def aj():
 if h.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return aA(),None
def aq(e,t,a,m):c=e(t,a,m,causal=True,window_size=(-1,0));return c[0]if isinstance(c,tuple)else c
def az(e,t,a,m):
 if e is not None:return aq(e,t,a,m)
 return ax(t,a,m)
def aA():e=a.are_deterministic_algorithms_enabled();a.backends.cuda.enable_cudnn_sdp(not e);a.backends.cuda.enable_flash_sdp(e);a.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def aB():global oZ;o,oZ=aj();return o
def N(s,f,d,e):e.t('causal_attention','layers');return az(oZ,s,f,d)
def aC(t,i,reduction,e):e.t('cross_entropy','losses');d=o.cross_entropy(t.flatten(0,1).float(),i.flatten(),reduction=reduction);return d.view_as(i)if reduction=='none'else d
def aD(i,t,r,n,e):e.t('leaky_relu2','layers');s=o.leaky_relu(i.h(t,'mlp.fc',r,n,e),.5).square();return i.h(s,'mlp.proj',r,n,e)
def aE(t,r,e):e.t('ln_scale','branches');s=(r+1)**-.5;return t*s
def aF(o):e=max(o/1024,1.)**(16/14);return 1e4*e
def aG(t,e):e.t('ntk_rope','rotations');o=e.fields['segments'][0].size(1)if'segments'in e.fields else t.size(1);i=tU(t[...,:16],aF(o),e);return a.cat((i,t[...,16:]),-1)
def O(tensor,generator,ledger):
 if min(tensor.shape)>=64:W.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator)
def aH(t,a,r,e):e.t('qk_gain','layers');i=e.p[f"blocks.{r}.attn.q_gain"].to(t.dtype);return t*i[:,None],a
def aI(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aJ(i,a,r,e):t=e.p[f"blocks.{r}.resid_mix"].to(i.dtype);return t[0]*i+t[1]*a
def aK(i,r,e):t=H(i);t=aE(t,r,e);return t
def aL(i,t,r,n,e):o=ak(i,t,r,n,e);return e.p[f"blocks.{r}.attn_scale"].to(t.dtype)*o
def aM(i,t,r,n,e):s=aD(i,t,r,n,e);s=I(s,t,'mlp',n,e);return e.p[f"blocks.{r}.mlp_scale"].to(t.dtype)*s
def aN(i,o,a,r,n,e):s=aJ(o[0],a,r,e);s=s+aL(i,aK(s,r,e),r,n,e);return s+aM(i,aK(s,r,e),r,n,e),
def aO(o,s,t,r,e):
 if s is None:return o
 return ag(o[0],s,t,e),*o[1:]
def aP(i,o,a,e):
 m,c=aU(e.phases);e.t('unet_plan','steps over 11 layers',len(m)+len(c));s=[]
 for(n,r)in enumerate(m):o=aN(i,o,a,r,n,e);s.append(o[0])
 for(t,r)in enumerate(c):o=aO(o,s.pop()if s else None,t,r,e);o=aN(i,o,a,r,len(m)+t,e)
 return o
def aQ(i,t,o,e):e.t('sequential_wiring','walks');return aP(i,(t,),o,e)[0]
def aR(t,e):
 e.t('smear_gate','blends');o=tQ(t);i=tR(e)
 if i is not None:o=o.masked_fill(i[...,None],0)
 s=a.sigmoid(e.p['smear.gate']).to(t.dtype);return(1-s)*t+s*o
def aS(t,e):e.t('tanh_softcap','caps');return 3e1*a.tanh(t/3e1)
def aT(t,e):e.t('tied_head','heads');return tT(e.p['tok_emb.weight'],t,'head',0,0,e)
def aU(a):t=tuple(range(11));return t[:len(t)//2],t[len(t)//2:]
def aV(t,r,e):
 if r not in(9,10):return t
 e.t('value_embedding','layers')
 if've'not in e.memo:i=o.embedding(e.ids,e.p['ve_shared.embed.weight']);i=o.linear(i,e.p['ve_shared.proj.weight'].to(i.dtype));e.memo['ve']=i*e.p['ve_shared.scale'].to(i.dtype)
 s=e.p[f"ve_layer_scales.{oY.index(r)}"];a=e.memo['ve'];return t+s.to(t.dtype)*a
def aW(t,m,r,e):
 if r<0:return t
 e.t('xsa','layers');i=a.unflatten(t,2,(m.size(2),-1));s=o.normalize(m,dim=-1)[:,:,:,None,:];return(i-(i*s).sum(-1,keepdim=True)*s).flatten(2,3)
def aX(data):d=lzma.compress(data,preset=9);u.r('lzma',f"{len(data)} -> {len(d)} bytes");return d
def aY(data,o):
 c=lzma.LZMADecompressor(memlimit=2**27);e=c.decompress(data,o)
 if not c.eof or c.unused_data:raise ValueError(f"wanted one whole stream of at most {o} bytes")
 return e
def aZ(i):e=io.BytesIO();t={m.intern(o):{m.intern(f):n for(f,n)in s.items()}for(o,s)in i.items()};a.save(t,e);return e.getvalue()
def oe(data):return a.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ot(i):m=aZ(i);u.r('torch_save',f"{len(i)} tensors in {len(m)} bytes");return m
def oa(data):return oe(data)
def oo():
 try:e=SentencePieceProcessor(en)
 except(OSError,RuntimeError)as s:raise OSError(f"{en}: not a SentencePiece model")from s
 if len(e)>1024:raise ValueError(f"{en} has {len(e)} pieces, wanted at most vocab_size=1024")
 if e.piece_to_id('\u2581')==e.unk_id():raise ValueError(f"{en}: U+2581 is not a piece of its own")
 return e
def oi(e):
 i=[(0,0,1)]*1024
 for t in range(len(e)):
  if not(e.is_control(t)or e.is_unknown(t)or e.is_unused(t)):h=e.id_to_piece(t);o=h.startswith('\u2581');i[t]=1 if e.is_byte(t)else len(h.encode())-3*o,o,0
 return a.tensor(i).T
def on(n):
 global ij,ix,iu,ik
 if any(s(ee).glob('*_bytes_*')):raise ValueError(f"{ee}: it has byte side files, build with the plugin that reads them")
 e=oi(oo());ik,ix,ij=e.to(h);iu=n
def os(t,e,i):iu.count('sentencepiece_bytes','targets',e.numel());d=ik[e]+(ix[e]&~ij[t]);return d
def oh(e,n):
 global ef,ig,im,ep,ip;ef=tV(e)
 for c in ef:tW(c)
 im=p;ip=t;ig=n;ep=J(ef[0])
def ol(t):
 global ep;s=[]
 while t>0:
  if not len(ep):ef.append(ef.pop(0));ep=J(ef[0])
  s.append(ep[:t]);ep=ep[t:];t-=len(s[-1])
 return U.concatenate(s)
def od():t=ol(ip*98305).reshape(ip,-1)[im];t=a.from_numpy(t.astype(int));ig.count('sequential_loader','batches');return t[:-1].reshape(-1,2048),t[1:].reshape(-1,2048)
def oc(e):t=min(64,2048);o=e-1;i=range(0,max(o-(2048-t),1),t);return[Span(m,min(m+2048,o),0 if m==0 else 2048-t)for m in i]
def ou(f):global iw;m=[{'params':r,'spec':h}for(h,r,l)in f];iw=a.optim.AdamW(m,betas=(.9,.95),eps=1e-08,fused=True)
def om(o,n):
 for s in iw.param_groups:s['lr']=s['spec'].lr*o.s;s['weight_decay']=s['spec'].weight_decay*o.C
 iw.step();n.count('adam','steps')
@a.no_grad()
def of(r):global eg,iy;iy=0;eg=[e.detach().float().clone()for e in r]
@a.no_grad()
def op(r,g,o):global iy;iy+=1;a._foreach_mul_(eg,.997);a._foreach_add_(eg,[e.detach().float()for e in r],alpha=1-.997)
@a.no_grad()
def og(r):
 for(e,t)in zip(r,eg,strict=True):e.copy_(t)
 u.count('ema','updates',iy)
def ow(r,l,n):W.utils.clip_grad_norm_(r,.3);n.count('grad_clip','steps')
def oy(e,o):t=min(e.step/1500,1.);d=(1-t)*.92+t*.99;u.r('momentum_warmup',f"momentum {d:.4f} at step {e.step}");return o._replace(momentum=d)
def ob(e,t,o,n):e.mul_(1-t*.04*o.C);n.count('muon_weight_decay','tensors decayed')
def ov(i,steps,scale_first):
 t=i.shape[-2]>i.shape[-1]
 if t:i=i.mT
 i=i/(i.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(steps):e=i@i.mT;o=2.0315*e@e if scale_first else 2.0315*(e@e);i=3.4445*i+(-4.775*e+o)@i
 return i.mT if t else i
class MuonBank(e):weight:e;names:e;J:e;full:e;z:e;momentum:e;O:e
def ok(r,l):
 global ew,iq;iq={};ew=[];g=a.bfloat16 if h.type=='cuda'else a.float32
 for(s,u)in sorted(zip(r,l,strict=True),key=lambda v:-v[0].numel()):*m,i,z=s.shape;e=-(-len(u)//t);c=(*u,*['']*e*t)[e*p:][:e];y=[(f,i,z)for f in(e*t,e)];n,o=[a.zeros(w,dtype=g,device=h)for w in y];O,d=[a.zeros(w,dtype=a.bfloat16,device=h)for w in y];ew.append(MuonBank(s,u,c,n,o,d,O))
def ox():
 global ib;ib=[]
 for e in ew:c=ex(e.weight).bfloat16();e.full.flatten()[:c.numel()].copy_(c.flatten());ib.append(eq(e.z,e.full))
def oj(o,n):
 i=[]
 for(e,r)in zip(ew,ib,strict=True):
  eA(r);m=t;c=(e.z/m).bfloat16();a=eN(c,e.momentum,o.momentum);a=eK(a,e.J);i.append((e,ez(e.O,a),a))
  if len(i)>1:oq(*i.pop(0),o,n)
 for s in i:oq(*s,o,n)
def oq(e,r,a,o,n):eA(r);s=e.weight;i=e.O.flatten()[:s.numel()].view_as(s);eL(s,i,e.names,eO(s),o,n);n.count('parallel_muon','bank updates');n.count('newton_schulz','matrices',e.O.size(0))
def P():global iv;iv=c.perf_counter()-X
def oz():
 global X
 if a.cuda.is_available():a.cuda.synchronize()
 X=c.perf_counter()-iv;u.r('wall_clock',f"{X:.3f} seconds")
def oA(i):return 1e3*(c.perf_counter()-iv)
def oB(e):
 if e.b>0:t=4000*(e.v/max(e.step,1));return min(max(e.b-e.v,.0)/max(t,1e-09),1.)
 i=e.H-e.step;return i/4000 if 0<i<=4000 else 1.
def oC(e,o):t=oB(e);u.r('warmdown_iters',f"multiplier {t:.4f} at step {e.step}");return o._replace(s=o.s*t)
class Trial(e):codes:e;step:e;error:e
class oD:
 name='int6'
 def __init__(t,e):t.j=e
 def encode(t,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');s,a=tensor.float(),None
  for i in eT(s):r=A()if a else ledger;d=t.j(name,s,i,31,statistics,r);a=oF(a,oE(s,d,i,statistics))
  return{'codes':a.codes,'step':a.step}
 def G(t,l,r,c):
  u.count('clip_search','tensors quantized',len(l));p=[e.float()for e in r];g=[eT(s)for s in p];a=[None]*len(l);v=t.j
  for o in range(len(g[0])):
   w=[m for(m,z)in enumerate(g)if not any(z[o].equal(f)for f in z[:o])];V=[[n[m]for m in w]for n in(l,p)];y=[c[m]for m in w];z=[g[m][o]for m in w];h=v.solve(*V,z,31,y,A()if o else u)if w else[]
   for(m,d,i)in zip(w,h,z,strict=True):a[m]=oF(a[m],oE(p[m],d,i,c[m]))
  return[{'codes':O.codes,'step':O.step}for O in a if O]
 def decode(t,name,parts,kind):return eW(parts,kind)
def oE(s,d,i,c):
 if'hessian'in c:f=c['hessian'].diagonal()==0;return Trial(d,i,eU(s.masked_fill(f,.0),d.masked_fill(f,0),i))
 return Trial(d,i,eU(s,d,i))
def oF(f,w):
 if f is None:return w
 e=w.error<f.error;return Trial(*(a.where(e,t,o)for(o,t)in zip(f,w,strict=True)))
class oG:
 U='hessian',
 def __init__(t):0
 def __call__(t,name,weight,step,e,c,ledger):return t.solve([name],[weight],[step],e,[c],ledger)[0]
 def solve(t,names,weights,steps,top,statistics,ledger):
  for(o,y)in zip(names,statistics,strict=True):
   if'hessian'not in y:raise ValueError(f"{o} has no input statistics, which gptq needs")
  V,er,z=[],[],[]
  for(s,y)in zip(weights,statistics,strict=True):h,f=eX(y['hessian']);O=y['order']if'order'in y else h.diagonal().argsort(descending=True,stable=True);V.append(O);er.append(h[O][:,O]);z.append(s.masked_fill(f,.0).T[O])
  w,u=oH(a.stack(er)),a.stack(z);d,i=a.empty_like(u),a.stack(steps).float()
  for r in range(0,u.shape[1],128):oI(u,d,w,i,top,r,min(r+128,u.shape[1]))
  v=(~w.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(v));ledger.count('gptq','matrices',len(names)-sum(v));return[eR(weights[m],i[m],top)if v[m]else d[m,O.argsort()].T.contiguous().to(a.int8)for(m,O)in enumerate(V)]
def oH(h):e,v=a.linalg.cholesky_ex(h);t,i=a.linalg.cholesky_ex(a.cholesky_inverse(e),upper=True);return a.where((v+i>0)[...,None,None],a.nan,t)
def oI(u,d,w,i,e,r,o):
 n=a.empty_like(u[:,r:o])
 for t in range(r,o):d[:,t]=(u[:,t]/i).round().clamp(-e,e);s=(u[:,t]-d[:,t]*i)/w[:,t,t,None];u[:,t:o]-=w[:,t,t:o,None]*s[:,None];n[:,t-r]=s
 u[:,o:]-=w[:,r:o,o:].mT@n
def oJ(c):
 l=[(o,f)for o in sorted(c)for f in sorted(c[o])]
 for(r,e)in enumerate(y(l)):
  if e!=l:i=sorted({*l}^{*e})[0][0];raise ValueError(f"ranks {p} and {r} have statistics of different matrices, such as {i}")
 for(o,f)in l:ek(c[o][f]).div_(t);u.count('hessian_all_reduce',f"statistics over {t} ranks")
 return c
class Q:
 name='int8'
 def __init__(t,l):t.half=l
 def encode(t,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if t.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,i=eV(tensor.float());return{'codes':d,'step':i}
 def decode(t,name,parts,kind):return eW(parts,kind)
class Kept(e):keys:e;values:e;documents:e;L:e
class oK:
 def __init__(t,i):t.q=i;t.A=[];t.g=0;t.n=None;t.o=None
 def E(t,n,m):t.n,t.o,t.g=n,m,0
 def __call__(t,model,s,k,d,r,n,ctx):
  if t.n is None or t.o is None:t.A.append(t.I(s,k,d,ctx));return N(s,k,d,ctx)
  o=t.A[t.g];t.g+=1;h=s.size(1)//ctx.ids.size(1);u=a.arange(h,device=s.device);w,c=t.o*h+u,(t.o-t.n)*h+u;o.keys.index_copy_(1,w,k.index_select(1,c));o.values.index_copy_(1,w,d.index_select(1,c));g=t.n*h+a.arange(s.size(1),device=s.device);p=g[:,None]-a.arange(o.keys.size(1),device=s.device);l=(p>=0)&(p<o.L)
  if o.documents is not None:m=ctx.fields['documents'];o.documents.index_copy_(1,w,m.index_select(1,c));l=l&(m[:,None,:,None]==o.documents[:,None,None,:])
  return oL(s,o.keys,o.values,l)
 def I(t,s,f,d,e):
  o=f.size(1);r=dict(e.fields);m=r.pop('documents',None);u=e._replace(memo={},fields=r);g,p,h=a.zeros_like(s),a.zeros_like(f),a.zeros_like(d);h[:,0]=1;w=int((N(g,p,h,u)[0,:,0,0]>0).sum())
  if m is not None:l=o//2;r['documents']=(a.arange(o,device=s.device)>=l).long()[None];h=a.zeros_like(d);h[:,l-1]=1;c=N(g,p,h,u._replace(memo={}));z=not bool(c[0,l,0,0]>0);m=m.new_zeros(t.q,o)if z else None
  y,n=(i.new_zeros(t.q,*i.shape[1:])for i in(f,d));return Kept(y,n,m,w)
def oL(t,e,i,l):f=e.size(2);h=t.size(2)//f;s=a.unflatten(t,2,(f,h)).transpose(1,2).flatten(2,3);l=l.repeat_interleave(h,-2);c=o.scaled_dot_product_attention(s,e.transpose(1,2),i.transpose(1,2),attn_mask=l);return a.unflatten(c,2,(-1,h)).transpose(1,2).flatten(2,3)
def R(s,r,f):return Context(s,(),False,d.matrices(),f,r,None,None,None)
def S(s):return{}
class oM:
 def __init__(t,i):t.w=i;t.temperature=.8;t.ids=a.zeros_like(i,dtype=a.long);t.ids[:,0]=(i[:,0]*1024).long();t.B=a.zeros_like(i);t.o=t.ids.new_zeros(1);t.attention=oK(len(i));s=t.ids[:1];e=R(s,{**S(s),'attention':t.attention},{});d.l(s,e);t.rotations=e.memo.get('rope',())
 def write(t):
  g=t.w.size(1)-1
  if t.w.is_cuda and g>3:g=t.P(g)
  for m in range(g):t.step()
  return t.ids
 def P(t,g):
  e=a.cuda.Stream();e.wait_stream(a.cuda.current_stream())
  with a.cuda.stream(e):
   for m in range(3):t.step()
  a.cuda.current_stream().wait_stream(e);i=a.cuda.CUDAGraph()
  try:
   with a.cuda.graph(i):t.step()
  except RuntimeError as s:r(f"decoding without a CUDA graph: {str(s).splitlines()[0]}");return g-3
  for m in range(g-3):i.replay()
  return 0
 def step(t):h=min(8,t.ids.size(1));n=(t.o-(h-1)).clamp_min(0);m=n+a.arange(h,device=n.device);t.attention.E(n,t.o);s=t.ids.index_select(1,m);r={o:w.index_select(1,m)for(o,w)in S(t.ids).items()};f={'rope':tuple(l.index_select(0,m)for l in t.rotations)}if t.rotations else{};e=R(s,{**r,'attention':t.attention},f);i=d.l(s,e).index_select(1,t.o-n);c=d.logits(i,e)[:,0].float()/t.temperature;t.o.add_(1);u=oN(c,t.w.index_select(1,t.o));t.ids.index_copy_(1,t.o,u);t.B.index_copy_(1,t.o,c.log_softmax(1).gather(1,u))
 def F(t):
  f=.0
  for n in range(0,len(t.ids),8):s=t.ids[n:n+8];e=R(s,S(s),{});c=d.logits(d.l(s,e)[:,:-1],e).float();h=(c/t.temperature).log_softmax(2).gather(2,s[:,1:,None])[...,0];f+=(h-t.B[n:n+8,1:]).abs().sum().item()
  return f/t.ids[:,1:].numel()
def oN(c,e):t=c.softmax(1).cumsum(1)<=e;return t.sum(1,keepdim=True).clamp_max(c.shape[1]-1)
def oO():
 e=64//t;o=(p+1)*e
 for n in range(o-e,o,64):c=range(n,min(n+64,o));i=a.stack([oR(r)for r in c]);u.count('self_calibration','sequences',len(i));s=oP(i.to(h));yield from s[:,:-1].split(8)
def oP(i):
 c=oM(i);s=c.write();e=c.F()
 if e<.1:return s
 u.count('self_calibration','sequences without a cache',len(i));r(f"self_calibration: with kept keys scores are {e:.3f} nats off: whole forwards");return a.cat([oQ(n)for n in i.split(8)])
def oQ(i):
 s=a.zeros_like(i,dtype=a.long);s[:,0]=(i[:,0]*1024).long()
 for m in range(1,i.shape[1]):c=oS(s,m-1);s[:,m]=oN(c/.8,i[:,m:m+1])[:,0]
 return s
def oR(r):return a.rand(2048,generator=eE(f"self_calibration {r}"))
def oS(s,m):e=R(s,S(s),{});return d.logits(d.l(s,e)[:,m:m+1],e)[:,0].float()
def oT():return Param('qo_bank',(22,512,512),'matrix','attn',(O,x),'banks',m=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(O,O),'banks',m=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(O,),'banks',m=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(x,),'banks',m=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',j,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',x,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',O,'bigram_hash'),Param('bigram.scale',(),'scalar','control',l(q,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',l(q,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',aI,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',x,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',l(eG,std=.005),'tied_head','activation',y='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',l(eG,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',l(q,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',j,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',O,'value_embedding')
oW=Group('embed',.035,.04)
oX=Group('scalar',.025,.04)
oY=9,10
def oU():global eu;eu='causal_attention';eQ(aB())
oZ=None
X=.0
ie=l(ov,scale_first=False)
Y=None
it='adam','additive_skips','banks','bigram_hash','causal_attention','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
Z={'attn':oD(oG()),'aux':Q(True),'control':Q(False),'embed':Q(True),'mlp':oD(oG())}
if __name__=='__main__':ar(oT())